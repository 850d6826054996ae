/* ask_again - a POST over one kept connection, again and again, each when the one before has been
 * answered 200, or so many ms after that.
 *
 * Says "ready" after the first; told to stop, prints how often and in what time. Threads: one. */
#include "ending.h"
#include "measure.h"
#include "rest.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    const char *body;
    struct rest rest;
    int64_t began, pause;
    int count = 0;

    if (argc != 3 && argc != 4)
        die("usage: ask_again SOCKET PATH [PAUSE-MS]");
    pause = argc == 4 ? number_of(argv[3]) * (NS_PER_SEC / 1000) : 0;
    ending_prepare();
    rest_open(&rest, argv[1]);
    began = now_ns();
    do {
        int status = rest_ask(&rest, "POST", argv[2], &body);

        if (status != 200)
            die("POST %s was answered %d:\n%s", argv[2], status, body);
        if (count++ == 0)
            ending_ready();
    } while (!ending_within(pause));
    printf("count %d seconds %.3f\n", count, (double)(now_ns() - began) / NS_PER_SEC);
    rest_close(&rest);
    return 0;
}

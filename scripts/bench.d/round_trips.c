/* round_trips - `GET PATH` over one kept connection, one after the other: what it costs to be asked
 * anything at all.
 *
 * Prints p50, p95 and rate; appends every sample to a file. Threads: one. */
#include "measure.h"
#include "rest.h"

#define WARM_UP 5 /* not counted: connections, caches */

static void ask(struct rest *rest, const char *path)
{
    int status = rest_ask(rest, "GET", path, NULL);

    if (status != 200)
        die("GET %s was answered %d", path, status);
}

int main(int argc, char **argv)
{
    struct samples samples = {0};
    struct rest rest;
    int count;

    if (argc != 5)
        die("usage: round_trips COUNT SAMPLES-FILE SOCKET PATH");
    count = number_of(argv[1]);
    rest_open(&rest, argv[3]);
    for (int i = 0; i < WARM_UP; i++)
        ask(&rest, argv[4]);
    for (int i = 0; i < count; i++) {
        int64_t begin = now_ns();

        ask(&rest, argv[4]);
        samples_add(&samples, now_ns() - begin);
    }
    rest_close(&rest);
    samples_write(&samples, argv[2]);
    samples_print(&samples);
    samples_deinit(&samples);
    return 0;
}

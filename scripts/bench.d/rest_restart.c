/* rest_restart - `POST /restart/SERVICE?wait` over one kept connection, one after the other.
 *
 * Prints p50, p95, rate and what the daemon used of the processors for each; appends every sample
 * to a file. Threads: one. */
#include "measure.h"
#include "rest.h"

#include <stdio.h>
#include <string.h>

#define WARM_UP 5 /* not counted: connections, caches */

static void restart(struct rest *rest, const char *path)
{
    const char *body;
    int status = rest_ask(rest, "POST", path, &body);

    if (status != 200)
        die("POST %s was answered %d:\n%s", path, status, body);
}

int main(int argc, char **argv)
{
    struct samples samples = {0};
    struct rest rest;
    char path[256];
    int64_t cpu;
    int count;
    pid_t daemon;

    if (argc != 6)
        die("usage: rest_restart SOCKET PID-OF-ORDERLYD SERVICE COUNT SAMPLES-FILE");
    daemon = number_of(argv[2]);
    count = number_of(argv[4]);
    if (snprintf(path, sizeof path, "/restart/%s?wait", argv[3]) >= (int)sizeof path)
        die("%s is too long a name", argv[3]);
    rest_open(&rest, argv[1]);
    for (int i = 0; i < WARM_UP; i++)
        restart(&rest, path);
    cpu = cpu_ns(daemon);
    for (int i = 0; i < count; i++) {
        int64_t begin = now_ns();

        restart(&rest, path);
        samples_add(&samples, now_ns() - begin);
    }
    cpu = cpu_ns(daemon) - cpu;
    rest_close(&rest);
    samples_write(&samples, argv[5]);
    printf("cpu %.1f us each; ", (double)cpu / NS_PER_US / count);
    samples_print(&samples);
    samples_deinit(&samples);
    return 0;
}

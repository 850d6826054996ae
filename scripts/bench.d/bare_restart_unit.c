/* bare_restart_unit - RestartUnit, and wait for its JobRemoved, one after the other: the least that
 * a restart of a unit costs anybody who wants to know how it ended.
 *
 * Prints p50, p95 and rate; appends every sample to a file. Threads: one. */
#include "bus.h"
#include "measure.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_NS (60 * NS_PER_SEC)
#define WARM_UP     5 /* not counted: connections, caches */

/* The job that was removed last. */
struct removed {
    char *path, *result;
};

static int on_removed(sd_bus_message *m, void *context, sd_bus_error *error)
{
    struct removed *removed = context;
    const char *path, *unit, *result;
    uint32_t id;
    int r = sd_bus_message_read(m, "uoss", &id, &path, &unit, &result);

    (void)error;
    if (r < 0)
        bus_die(r, "read JobRemoved");
    free(removed->path);
    free(removed->result);
    removed->path = strdup(path);
    removed->result = strdup(result);
    if (!removed->path || !removed->result)
        die("out of memory");
    return 0;
}

static void await(sd_bus *bus, const struct removed *removed, const char *job)
{
    int64_t until = now_ns() + PATIENCE_NS;

    while (!removed->path || strcmp(removed->path, job) != 0) {
        if (now_ns() > until)
            die("the end of job %s has not been told in a minute", job);
        bus_turn(bus);
    }
}

static void restart(sd_bus *bus, const char *unit, const struct removed *removed)
{
    sd_bus_message *reply = bus_manager_call(bus, "RestartUnit", "ss", unit, "replace");
    const char *job;
    int r = sd_bus_message_read(reply, "o", &job);

    if (r < 0)
        bus_die(r, "read the answer to RestartUnit");
    await(bus, removed, job);
    if (strcmp(removed->result, "done") != 0)
        die("the restart of %s ended: %s", unit, removed->result);
    sd_bus_message_unref(reply);
}

int main(int argc, char **argv)
{
    struct samples samples = {0};
    struct removed removed = {0};
    sd_bus *bus;
    int count, r;

    if (argc != 4)
        die("usage: bare_restart_unit UNIT COUNT SAMPLES-FILE");
    count = number_of(argv[2]);
    bus = bus_open();
    r = sd_bus_match_signal(bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved",
                            on_removed, &removed);
    if (r < 0)
        bus_die(r, "match JobRemoved");
    bus_subscribe(bus);
    for (int i = 0; i < WARM_UP; i++)
        restart(bus, argv[1], &removed);
    for (int i = 0; i < count; i++) {
        int64_t begin = now_ns();

        restart(bus, argv[1], &removed);
        samples_add(&samples, now_ns() - begin);
    }
    samples_write(&samples, argv[3]);
    samples_print(&samples);
    sd_bus_flush_close_unref(bus);
    free(removed.path);
    free(removed.result);
    samples_deinit(&samples);
    return 0;
}

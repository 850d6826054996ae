/* units_shown - many units stopped and started at once with systemctl: what it costs to show these
 * changes, and how long after the change they are seen.
 *
 * All of them run when it begins, and again when it has ended. Prints one line: changes, states
 * told, and for each change, in us of processor time: what the watcher used, systemd and the bus.
 * Appends to a file how long after the change each was seen. Threads: one. */
#include "bus.h"
#include "eye.h"
#include "measure.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define PATIENCE_NS (60 * NS_PER_SEC)
#define BUS_NAME    "org.freedesktop.DBus"
#define BUS_PATH    "/org/freedesktop/DBus"

extern char **environ;

struct cost {
    int64_t watcher, systemd, bus;
};

struct scene {
    const struct eye_ops *ops;
    struct eye *eye;
    struct view view;
    sd_bus *asking; /* for what is asked beside the measurement; told of no signals */
    pid_t watcher, broker;
    int64_t beside; /* what this program itself used for that */
    struct samples late;
    char **argv; /* systemctl, verb, units */
};

/* What the three have used so far. What we ask beside the measurement is not the watcher's; of
 * systemd and the bus it falls between two phases. */
static struct cost cost_now(const struct scene *scene)
{
    struct cost cost = {cpu_ns(scene->watcher), cpu_ns(1), cpu_ns(scene->broker)};

    if (scene->watcher == 0)
        cost.watcher -= scene->beside;
    return cost;
}

/* Asked of the bus itself: its socket's credentials are those of systemd, which listened first. */
static pid_t broker_pid(sd_bus *bus)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *reply;
    uint32_t pid;
    int r = sd_bus_call_method(bus, BUS_NAME, BUS_PATH, BUS_NAME, "GetConnectionUnixProcessID",
                               &error, &reply, "s", BUS_NAME);

    if (r >= 0)
        r = sd_bus_message_read(reply, "u", &pid);
    if (r < 0)
        bus_die(r, "ask for the pid of the bus");
    sd_bus_message_unref(reply);
    return (pid_t)pid;
}

/* systemctl VERB UNIT...: the verb is put in for each run. */
static char **systemctl_arguments(int count)
{
    char **argv = calloc((size_t)count + 3, sizeof *argv);

    if (!argv)
        die("out of memory");
    argv[0] = (char *)"systemctl";
    for (int n = 1; n <= count; n++)
        if (asprintf(&argv[n + 1], UNIT_PREFIX "%d.service", n) < 0)
            die("out of memory");
    return argv;
}

static pid_t run_systemctl(char **argv, const char *verb)
{
    pid_t pid;

    argv[1] = (char *)verb;
    errno = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
    if (errno)
        die("run systemctl: %m");
    return pid;
}

static void await_systemctl(pid_t pid)
{
    int status;

    if (waitpid(pid, &status, 0) < 0)
        die("wait for systemctl: %m");
    if (status != 0)
        die("systemctl ended with wait status %d", status);
}

/* How many have not been seen so. */
static int count_others(const struct view *view, bool up)
{
    int others = 0;

    for (int n = 1; n <= view->count; n++)
        others += !view->sights[n].known || view->sights[n].up != up;
    return others;
}

/* When systemd itself says that the unit's state changed. */
static int64_t changed_ns(sd_bus *bus, int number)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    char name[64], *path = NULL;
    uint64_t us;
    int r;

    snprintf(name, sizeof name, UNIT_PREFIX "%d.service", number);
    r = sd_bus_path_encode(SYSTEMD_UNITS, name, &path);
    if (r >= 0)
        r = sd_bus_get_property_trivial(bus, SYSTEMD_NAME, path, SYSTEMD_UNIT,
                                        "StateChangeTimestampMonotonic", &error, 't', &us);
    if (r < 0)
        die("ask when %s changed: %s", name, error.message ? error.message : strerror(-r));
    free(path);
    return (int64_t)us * NS_PER_US;
}

static void compare_with_systemd(struct scene *scene)
{
    int64_t begin = cpu_ns(0);

    for (int n = 1; n <= scene->view.count; n++)
        samples_add(&scene->late, scene->view.sights[n].ns - changed_ns(scene->asking, n));
    scene->beside += cpu_ns(0) - begin;
}

static void add_cost(struct cost *sum, struct cost from, struct cost to)
{
    sum->watcher += to.watcher - from.watcher;
    sum->systemd += to.systemd - from.systemd;
    sum->bus += to.bus - from.bus;
}

static void await_all(struct scene *scene, bool up)
{
    int64_t until = now_ns() + PATIENCE_NS;

    while (count_others(&scene->view, up) > 0) {
        if (now_ns() > until)
            die("%d of %d units were not seen %s in a minute", count_others(&scene->view, up),
                scene->view.count, up ? "running" : "stopped");
        scene->ops->look(scene->eye);
    }
}

/* Changes all of them, and waits until every one has been seen. */
static void phase(struct scene *scene, const char *verb, bool up, struct cost *sum)
{
    struct cost from = cost_now(scene);
    pid_t pid = run_systemctl(scene->argv, verb);

    await_all(scene, up);
    await_systemctl(pid);
    add_cost(sum, from, cost_now(scene));
    compare_with_systemd(scene);
}

static void print_cost(const struct scene *scene, const struct cost *sum)
{
    double changes = 2.0 * scene->view.count, us = NS_PER_US * changes;

    printf("%.0f changes, %lld states told; us each: watcher %.1f systemd %.1f bus %.1f\n", changes,
           (long long)scene->view.told, (double)sum->watcher / us, (double)sum->systemd / us,
           (double)sum->bus / us);
}

static void close_scene(struct scene *scene)
{
    scene->ops->close(scene->eye);
    sd_bus_flush_close_unref(scene->asking);
    for (int n = 1; n <= scene->view.count; n++)
        free(scene->argv[n + 1]);
    free(scene->argv);
    free(scene->view.sights);
    samples_deinit(&scene->late);
}

static void open_scene(struct scene *scene, int count, const char *socket)
{
    scene->view.count = count;
    scene->view.sights = calloc((size_t)count + 1, sizeof *scene->view.sights);
    if (!scene->view.sights)
        die("out of memory");
    scene->argv = systemctl_arguments(count);
    scene->asking = bus_open();
    scene->broker = broker_pid(scene->asking);
    scene->eye = scene->ops->open(&scene->view, socket);
    await_all(scene, true);
    scene->view.told = 0;
}

int main(int argc, char **argv)
{
    struct scene scene = {.ops = &eye_bus};
    struct cost sum = {0};

    if (argc != 3 && argc != 5)
        die("usage: units_shown COUNT SAMPLES-FILE [SOCKET PID-OF-ORDERLYD]");
    if (argc == 5) {
        scene.ops = &eye_rest;
        scene.watcher = number_of(argv[4]);
    }
    open_scene(&scene, number_of(argv[1]), argv[3]);
    phase(&scene, "stop", false, &sum);
    phase(&scene, "start", true, &sum);
    samples_write(&scene.late, argv[2]);
    print_cost(&scene, &sum);
    close_scene(&scene);
    return 0;
}

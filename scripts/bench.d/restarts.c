/* restarts - so many restarts over services and clients, each client with services of its own, in
 * any of the ways in which a restart can be asked for. "once": each service once but the first of
 * each client, which was restarted before the clock began.
 *
 * Prints p50, p95, the rate of all together and what a process used of the processors for each;
 * appends every sample to a file. Threads: one for each client; what they share is atomic or set
 * before they begin. */
#include "measure.h"
#include "way.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct race {
    const struct way_ops *ops;
    const char *where, *lines;
    int clients, services;
    bool once;
    atomic_int left;
    pthread_barrier_t ready, begun; /* with one place for main */
};

struct client {
    struct race *race;
    pthread_t thread;
    int first; /* its services: first, first + clients, ... */
    struct samples samples;
};

static const struct {
    const char *name;
    const struct way_ops *ops;
} ways[] = {
    {"rest", &way_rest},
    {"bare", &way_bare},
    {"supervisord", &way_supervisord},
    {"control", &way_control},
};

static const struct way_ops *way_of(const char *name)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i].name, name) == 0)
            return ways[i].ops;
    die("%s is no way to restart a service", name);
}

static int next_service(const struct client *client, int number)
{
    number += client->race->clients;
    return number <= client->race->services ? number : client->first;
}

static void measure(struct client *client, struct way *way)
{
    struct race *race = client->race;
    int number = next_service(client, client->first);

    while (race->once ? number != client->first : atomic_fetch_sub(&race->left, 1) > 0) {
        int64_t begin = now_ns();

        race->ops->restart(way, number);
        samples_add(&client->samples, now_ns() - begin);
        number = next_service(client, number);
    }
}

static void *run(void *context)
{
    struct client *client = context;
    struct race *race = client->race;
    struct way *way = race->ops->open(race->where, race->lines);

    for (int n = client->first; n <= race->services; n += race->clients)
        race->ops->adopt(way, n);
    race->ops->restart(way, client->first); /* not counted: connections, caches */
    pthread_barrier_wait(&race->ready);
    pthread_barrier_wait(&race->begun);
    measure(client, way);
    pthread_barrier_wait(&race->ready);
    race->ops->close(way);
    return NULL;
}

static void start_clients(struct race *race, struct client *clients)
{
    pthread_barrier_init(&race->ready, NULL, (unsigned)race->clients + 1);
    pthread_barrier_init(&race->begun, NULL, (unsigned)race->clients + 1);
    for (int i = 0; i < race->clients; i++) {
        clients[i] = (struct client){.race = race, .first = i + 1};
        if (pthread_create(&clients[i].thread, NULL, run, &clients[i]))
            die("start a thread");
    }
    pthread_barrier_wait(&race->ready);
}

/* All samples come together in the first one's. */
static void join_clients(struct race *race, struct client *clients)
{
    for (int i = 0; i < race->clients; i++)
        pthread_join(clients[i].thread, NULL);
    for (int i = 1; i < race->clients; i++) {
        for (size_t k = 0; k < clients[i].samples.count; k++)
            samples_add(&clients[0].samples, clients[i].samples.ns[k]);
        samples_deinit(&clients[i].samples);
    }
}

static void run_race(struct race *race, struct client *clients, pid_t pid)
{
    int count = atomic_load(&race->left);
    int64_t cpu, begin;

    start_clients(race, clients);
    cpu = cpu_ns(pid);
    begin = now_ns();
    pthread_barrier_wait(&race->begun);
    pthread_barrier_wait(&race->ready);
    begin = now_ns() - begin;
    cpu = cpu_ns(pid) - cpu;
    join_clients(race, clients);
    printf("together %.1f /s; cpu %.1f us each; ", (double)count * NS_PER_SEC / (double)begin,
           (double)cpu / NS_PER_US / count);
}

int main(int argc, char **argv)
{
    struct race race = {0};
    struct client *clients;
    pid_t pid = 0;

    if (argc != 8 && argc != 9)
        die("usage: restarts rest|bare|supervisord|control WHERE LINES-FOLDER CLIENTS SERVICES "
            "COUNT|once SAMPLES-FILE [PID]");
    race.ops = way_of(argv[1]);
    race.where = argv[2];
    race.lines = argv[3];
    race.clients = number_of(argv[4]);
    race.services = number_of(argv[5]);
    race.once = strcmp(argv[6], "once") == 0;
    race.left = race.once ? race.services - race.clients : number_of(argv[6]);
    if (race.services < race.clients)
        die("each client needs a service of its own");
    if (argc == 9)
        pid = number_of(argv[8]);
    clients = calloc((size_t)race.clients, sizeof *clients);
    if (!clients)
        die("out of memory");
    run_race(&race, clients, pid);
    samples_write(&clients[0].samples, argv[7]);
    samples_print(&clients[0].samples);
    samples_deinit(&clients[0].samples);
    free(clients);
    return 0;
}

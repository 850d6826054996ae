/* acceptances - operations that change nothing (start of what runs), over many connections that
 * have one request under way each, with a service of its own each; from the first request until the
 * last operation of each has ended, which then all before it have.
 *
 * Prints the rate and what the daemon and the client used of the processors for each; appends how
 * long each answer took to a file. Threads: one. */
#include "crowd.h"
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_UP 20 /* of each client, not counted: connections, caches */

struct race {
    int left;
    struct samples samples;
    char (*requests)[128]; /* a member's */
    size_t *lengths;
};

static void ask(struct race *race, struct member *member)
{
    race->left--;
    crowd_ask(member, race->requests[member->number], race->lengths[member->number]);
}

static void accepted(struct crowd *crowd, struct member *member)
{
    struct race *race = crowd->context;

    if (member->status != 202)
        die("answered %d, not 202:\n%s%s", member->status, member->head, member->body);
    samples_add(&race->samples, now_ns() - member->asked);
    if (race->left > 0)
        ask(race, member);
}

static void ended(struct crowd *crowd, struct member *member)
{
    (void)crowd;
    if (member->status != 200 || !strstr(member->body, "\"succeeded\""))
        die("the operation did not end well: %d\n%s%s", member->status, member->head, member->body);
}

static void finish(struct crowd *crowd)
{
    for (int i = 0; i < crowd->count; i++)
        while (crowd->members[i].asking)
            crowd_turn(crowd, -1);
}

/* The last operation of each: it began last, and so it ends last. */
static void await_ends(struct crowd *crowd)
{
    crowd->answered = ended;
    for (int i = 0; i < crowd->count; i++) {
        struct member *member = &crowd->members[i];
        char request[128];
        long long id;

        if (sscanf(member->body, "{\"id\":%lld", &id) != 1)
            die("an answer without an operation:\n%s", member->body);
        crowd_ask(member, request,
                  (size_t)snprintf(request, sizeof request,
                                   "GET /operations/%lld?wait HTTP/1.1\r\nHost: localhost\r\n\r\n",
                                   id));
    }
    finish(crowd);
}

static void run(struct crowd *crowd, int count)
{
    struct race *race = crowd->context;

    race->left = count;
    crowd->answered = accepted;
    for (int i = 0; i < crowd->count; i++)
        ask(race, &crowd->members[i]);
    finish(crowd);
    await_ends(crowd);
}

static void write_requests(struct race *race, int count)
{
    race->requests = calloc((size_t)count, sizeof *race->requests);
    race->lengths = calloc((size_t)count, sizeof *race->lengths);
    if (!race->requests || !race->lengths)
        die("out of memory");
    for (int i = 0; i < count; i++)
        race->lengths[i] = (size_t)snprintf(
            race->requests[i], sizeof *race->requests,
            "POST /start/bench-%d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", i + 1);
}

static void measure(struct crowd *crowd, pid_t daemon, int count)
{
    struct race *race = crowd->context;
    int64_t began, cpu, own;

    run(crowd, WARM_UP * crowd->count);
    race->samples.count = 0;
    cpu = cpu_ns(daemon);
    own = cpu_ns(0);
    began = now_ns();
    run(crowd, count);
    began = now_ns() - began;
    printf("rate %.0f /s; cpu %.2f us each; client %.2f us each\n",
           (double)count * NS_PER_SEC / (double)began,
           (double)(cpu_ns(daemon) - cpu) / NS_PER_US / count,
           (double)(cpu_ns(0) - own) / NS_PER_US / count);
}

int main(int argc, char **argv)
{
    struct race race = {0};
    struct crowd crowd = {.context = &race};
    int clients, count;

    if (argc != 6)
        die("usage: acceptances SOCKET PID-OF-ORDERLYD CLIENTS COUNT SAMPLES-FILE");
    clients = number_of(argv[3]);
    count = number_of(argv[4]);
    if (count < clients)
        die("each client needs an operation");
    write_requests(&race, clients);
    crowd_open(&crowd, argv[1], clients);
    measure(&crowd, (pid_t)number_of(argv[2]), count);
    samples_write(&race.samples, argv[5]);
    crowd_close(&crowd);
    samples_deinit(&race.samples);
    free(race.requests);
    free(race.lengths);
    return 0;
}

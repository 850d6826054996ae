/* status_since - changes, one after the other, and how many pollers, each with a parked
 * `GET /status?since=REVISION&wait`, are told of each.
 *
 * A change is a POST on a connection of its own. It counts as delivered when every poller has been
 * told the revision that the server shows after the POST was answered; then the next one comes.
 * Prints one line: changes, answers to pollers and their bytes for each, the server's processor
 * time for each change in us; appends to a file how long each took from the POST on. Threads: one.
 */
#include "crowd.h"
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_UP 5 /* changes that are not counted */

struct changes {
    struct crowd crowd;
    struct member *control; /* the last of them */
    char (*revisions)[64];  /* of each, as it was told last */
    int64_t answers, bytes;
    const char *status; /* path */
};

static long number_in(const char *revision)
{
    const char *dash = strrchr(revision, '-');

    return dash ? atol(dash + 1) : -1;
}

static void take_revision(struct changes *c, const struct member *member)
{
    static const char mark[] = "\"revision\":\"";
    const char *at = strstr(member->body, mark);

    if (member->status != 200 || !at ||
        sscanf(at + strlen(mark), "%63[^\"]", c->revisions[member->number]) != 1)
        die("not a status: answered %d:\n%s", member->status, member->body);
}

static void ask(struct changes *c, struct member *member, const char *more)
{
    char request[512];
    int len =
        snprintf(request, sizeof request, "GET %s?since=%s%s HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 c->status, c->revisions[member->number], more);

    if (len >= (int)sizeof request)
        die("too long a request");
    crowd_ask(member, request, (size_t)len);
}

static void answered(struct crowd *crowd, struct member *member)
{
    struct changes *c = crowd->context;

    if (member == c->control)
        return;
    c->answers++;
    c->bytes += (int64_t)member->body_len;
    take_revision(c, member);
    ask(c, member, "&wait=60");
}

static void wait_control(struct changes *c)
{
    while (c->control->asking)
        crowd_turn(&c->crowd, -1);
}

static void post(struct changes *c, const char *path)
{
    char request[512];
    int len = snprintf(request, sizeof request,
                       "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", path);

    if (len >= (int)sizeof request)
        die("%s is too long a path", path);
    crowd_ask(c->control, request, (size_t)len);
    wait_control(c);
    if (c->control->status != 200)
        die("POST %s was answered %d:\n%s", path, c->control->status, c->control->body);
}

static bool all_know(const struct changes *c, long number)
{
    for (int i = 0; i < c->crowd.count - 1; i++)
        if (number_in(c->revisions[i]) < number)
            return false;
    return true;
}

/* A change, until everybody has been told of it. */
static void change(struct changes *c, const char *path)
{
    long number;

    post(c, path);
    ask(c, c->control, "");
    wait_control(c);
    take_revision(c, c->control);
    number = number_in(c->revisions[c->control->number]);
    while (!all_know(c, number))
        crowd_turn(&c->crowd, -1);
}

static void begin(struct changes *c)
{
    char request[512];
    int len =
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", c->status);

    if (len >= (int)sizeof request)
        die("%s is too long a path", c->status);
    crowd_ask(c->control, request, (size_t)len);
    wait_control(c);
    take_revision(c, c->control);
    for (int i = 0; i < c->crowd.count - 1; i++) {
        strcpy(c->revisions[i], c->revisions[c->control->number]);
        ask(c, &c->crowd.members[i], "&wait=60");
    }
}

int main(int argc, char **argv)
{
    struct changes c = {.crowd = {.answered = answered, .context = &c}};
    struct samples samples = {0};
    int64_t cpu;
    int pollers, count;
    pid_t server;

    if (argc != 8)
        die("usage: status_since SOCKET PID-OF-SERVER POLLERS CHANGES STATUS-PATH POST-PATH "
            "SAMPLES-FILE");
    server = number_of(argv[2]);
    pollers = atoi(argv[3]); /* none is a case, too */
    count = number_of(argv[4]);
    c.status = argv[5];
    crowd_open(&c.crowd, argv[1], pollers + 1);
    c.control = &c.crowd.members[pollers];
    c.revisions = calloc((size_t)pollers + 1, sizeof *c.revisions);
    if (!c.revisions)
        die("out of memory");
    begin(&c);
    for (int i = 0; i < WARM_UP; i++)
        change(&c, argv[6]);
    c.answers = c.bytes = 0;
    cpu = cpu_ns(server);
    for (int i = 0; i < count; i++) {
        int64_t began = now_ns();

        change(&c, argv[6]);
        samples_add(&samples, now_ns() - began);
    }
    cpu = cpu_ns(server) - cpu;
    printf("changes %d answers %.2f bytes %.0f cpu %.2f\n", count, (double)c.answers / count,
           c.answers ? (double)c.bytes / (double)c.answers : 0.0, (double)cpu / NS_PER_US / count);
    samples_write(&samples, argv[7]);
    samples_deinit(&samples);
    crowd_close(&c.crowd);
    free(c.revisions);
    return 0;
}

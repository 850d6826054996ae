/* http_load - GET requests over many kept connections, each sending the next one when it has the
 * answer; or, with a rate, each so often in a second, evenly spread.
 *
 * "match" sends If-None-Match with the entity tag of the first answer, so that 304 is expected.
 * Prints one line of words and numbers: requests a second, the server's processor time for each in
 * us, its share of one processor in percent, the client's time for each, bytes of a body; appends
 * how long each request took to a file. Threads: one. */
#include "crowd.h"
#include "measure.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_UP (NS_PER_SEC / 5) /* not counted: connections, caches */

struct load {
    struct crowd crowd;
    char request[512];
    size_t request_len;
    int expected; /* status */
    bool paced;   /* who asks again is told by the clock */
    bool over;
    int64_t count, late;
    struct samples samples;
};

static void check(const struct member *member, int expected)
{
    if (member->status != expected)
        die("answered %d, not %d:\n%s%s", member->status, expected, member->head, member->body);
}

static void answered(struct crowd *crowd, struct member *member)
{
    struct load *load = crowd->context;

    check(member, load->expected);
    load->count++;
    samples_add(&load->samples, now_ns() - member->asked);
    if (!load->paced && !load->over)
        crowd_ask(member, load->request, load->request_len);
}

static void first_answered(struct crowd *crowd, struct member *member)
{
    (void)crowd;
    check(member, 200);
}

static void write_request(struct load *load, const char *path, const char *tag)
{
    int len = snprintf(load->request, sizeof load->request,
                       "GET %s HTTP/1.1\r\nHost: localhost\r\n%s%s%s\r\n", path,
                       tag ? "If-None-Match: \"" : "", tag ? tag : "", tag ? "\"\r\n" : "");

    if (len >= (int)sizeof load->request)
        die("%s is too long a path", path);
    load->request_len = (size_t)len;
}

/* The first request tells how large the answer is, and its tag. */
static size_t ask_first(struct load *load, const char *path, bool match)
{
    struct member *first = &load->crowd.members[0];
    char tag[128];

    write_request(load, path, NULL);
    load->crowd.answered = first_answered;
    crowd_ask(first, load->request, load->request_len);
    while (first->asking)
        crowd_turn(&load->crowd, -1);
    if (match && !member_field(first, "\nETag", tag, sizeof tag))
        die("an answer without ETag:\n%s", first->head);
    if (match)
        write_request(load, path, tag);
    load->expected = match ? 304 : 200;
    load->crowd.answered = answered;
    return first->body_len;
}

static void run_until(struct load *load, int64_t end)
{
    while (now_ns() < end)
        crowd_turn(&load->crowd, 1);
}

static void run_paced(struct load *load, int64_t end, int rate)
{
    int64_t step = NS_PER_SEC / rate / load->crowd.count, next = now_ns();

    for (int i = 0; next < end; i = (i + 1) % load->crowd.count, next += step) {
        struct member *member = &load->crowd.members[i];

        for (int64_t left; (left = next - now_ns()) > 0;)
            crowd_turn(&load->crowd, (int)(left / 1000000) + 1);
        if (member->asking)
            load->late++;
        else
            crowd_ask(member, load->request, load->request_len);
    }
}

static void finish(struct load *load)
{
    load->over = true;
    for (int i = 0; i < load->crowd.count; i++)
        while (load->crowd.members[i].asking)
            crowd_turn(&load->crowd, -1);
}

static void begin_all(struct load *load)
{
    for (int i = 0; i < load->crowd.count; i++)
        crowd_ask(&load->crowd.members[i], load->request, load->request_len);
}

static void measure(struct load *load, pid_t server, int seconds, int rate, size_t bytes)
{
    int64_t began, server_cpu, own_cpu, took;

    load->paced = rate > 0;
    if (!load->paced) {
        begin_all(load);
        run_until(load, now_ns() + WARM_UP);
    }
    load->count = 0;
    load->samples.count = 0;
    began = now_ns();
    server_cpu = cpu_ns(server);
    own_cpu = cpu_ns(0);
    if (load->paced) {
        run_paced(load, began + seconds * NS_PER_SEC, rate);
        finish(load);
    } else {
        run_until(load, began + seconds * NS_PER_SEC);
    }
    took = now_ns() - began;
    server_cpu = cpu_ns(server) - server_cpu;
    own_cpu = cpu_ns(0) - own_cpu;
    if (load->count == 0)
        die("no request was answered");
    printf("rate %.1f cpu %.2f share %.3f client %.2f bytes %zu late %lld\n",
           (double)load->count * NS_PER_SEC / (double)took,
           (double)server_cpu / NS_PER_US / (double)load->count,
           100.0 * (double)server_cpu / (double)took,
           (double)own_cpu / NS_PER_US / (double)load->count, bytes, (long long)load->late);
}

int main(int argc, char **argv)
{
    struct load load = {.crowd.context = &load};
    size_t bytes;

    if (argc != 8 && argc != 9)
        die("usage: http_load SOCKET PID-OF-SERVER CONNECTIONS SECONDS PATH full|match "
            "SAMPLES-FILE [REQUESTS-A-SECOND-OF-EACH]");
    crowd_open(&load.crowd, argv[1], number_of(argv[3]));
    bytes = ask_first(&load, argv[5], strcmp(argv[6], "match") == 0);
    measure(&load, number_of(argv[2]), number_of(argv[4]), argc == 9 ? number_of(argv[8]) : 0,
            bytes);
    finish(&load);
    samples_write(&load.samples, argv[7]);
    samples_deinit(&load.samples);
    crowd_close(&load.crowd);
    return 0;
}

/* batch_or_singles - the same operations, which change nothing (start of what runs), accepted as
 * one batch and one by one, by one client over one kept connection; taking turns.
 *
 * Only the acceptances are measured; the ends are waited for in between. Appends a sample for the
 * whole of each to two files; prints what the daemon used of the processors until all had ended.
 * Threads: one. */
#include "measure.h"
#include "rest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scene {
    struct rest rest;
    int services;
    pid_t daemon;
    char *batch; /* the body of the request */
    int64_t batch_cpu, singles_cpu;
    struct samples batches, singles;
};

static char *write_batch(int services)
{
    char *text, *sign = (char *)"";
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        die("out of memory");
    fputs("{\"operations\":[", f);
    for (int n = 1; n <= services; n++, sign = (char *)",")
        fprintf(f, "%s{\"action\":\"start\",\"service\":\"bench-%d\"}", sign, n);
    fputs("]}", f);
    if (fclose(f))
        die("out of memory");
    return text;
}

static long long number_behind(const char *body, const char *field)
{
    const char *at = strstr(body, field);

    if (!at)
        die("an answer without %s:\n%s", field, body);
    return atoll(at + strlen(field));
}

static void await(struct scene *scene, const char *format, long long number)
{
    const char *body;
    char path[128];

    snprintf(path, sizeof path, format, number);
    if (rest_ask(&scene->rest, "GET", path, &body) != 200)
        die("GET %s was refused:\n%s", path, body);
    if (strstr(body, "\"queued\"") || strstr(body, "\"running\""))
        die("GET %s did not wait for the end", path);
}

static void accept_batch(struct scene *scene)
{
    int64_t cpu = cpu_ns(scene->daemon), begin = now_ns();
    const char *body;
    int status = rest_post(&scene->rest, "/operations", "application/json", scene->batch, &body);

    samples_add(&scene->batches, now_ns() - begin);
    if (status != 202)
        die("the batch was answered %d:\n%s", status, body);
    await(scene, "/operations?batch=%lld&wait", number_behind(body, "\"batch\":"));
    scene->batch_cpu += cpu_ns(scene->daemon) - cpu;
}

static void accept_singles(struct scene *scene)
{
    int64_t cpu = cpu_ns(scene->daemon), begin = now_ns();
    const char *body;
    long long id = 0;

    for (int n = 1; n <= scene->services; n++) {
        char path[64];

        snprintf(path, sizeof path, "/start/bench-%d", n);
        if (rest_ask(&scene->rest, "POST", path, &body) != 202)
            die("POST %s was refused:\n%s", path, body);
        id = number_behind(body, "\"id\":");
    }
    samples_add(&scene->singles, now_ns() - begin);
    await(scene, "/operations/%lld?wait", id);
    scene->singles_cpu += cpu_ns(scene->daemon) - cpu;
}

static void measure(struct scene *scene, int count)
{
    accept_batch(scene); /* not counted: connections, caches */
    accept_singles(scene);
    scene->batches.count = scene->singles.count = 0;
    scene->batch_cpu = scene->singles_cpu = 0;
    for (int i = 0; i < count; i++) {
        accept_batch(scene);
        accept_singles(scene);
    }
}

int main(int argc, char **argv)
{
    struct scene scene = {0};
    int count;

    if (argc != 7)
        die("usage: batch_or_singles SOCKET PID-OF-ORDERLYD SERVICES COUNT BATCH-SAMPLES-FILE "
            "SINGLES-SAMPLES-FILE");
    scene.daemon = number_of(argv[2]);
    scene.services = number_of(argv[3]);
    count = number_of(argv[4]);
    scene.batch = write_batch(scene.services);
    rest_open(&scene.rest, argv[1]);
    measure(&scene, count);
    samples_write(&scene.batches, argv[5]);
    samples_write(&scene.singles, argv[6]);
    printf("batch-cpu %.1f us; singles-cpu %.1f us\n", (double)scene.batch_cpu / NS_PER_US / count,
           (double)scene.singles_cpu / NS_PER_US / count);
    rest_close(&scene.rest);
    samples_deinit(&scene.batches);
    samples_deinit(&scene.singles);
    free(scene.batch);
    return 0;
}

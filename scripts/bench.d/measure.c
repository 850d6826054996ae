/* measure - clocks, samples, and the end of a measurement that can't be taken. */
#include "measure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NUMBER_MAX 4194304 /* the highest pid_max there is */

void die(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", program_invocation_short_name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec t;

    if (clock_gettime(clock, &t) < 0)
        die("read a clock: %m");
    return t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

int64_t now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t cpu_ns(pid_t pid)
{
    clockid_t clock;
    int error = clock_getcpuclockid(pid, &clock);

    if (error) {
        errno = error;
        die("the processor time of pid %d: %m", pid);
    }
    return read_clock(clock);
}

int number_of(const char *text)
{
    char *end;
    long number;

    errno = 0;
    number = strtol(text, &end, 10);
    if (errno || end == text || *end || number < 1 || number > NUMBER_MAX)
        die("\"%s\" is not a number of 1 to %d", text, NUMBER_MAX);
    return (int)number;
}

void samples_add(struct samples *samples, int64_t ns)
{
    if (samples->count == samples->room) {
        samples->room = samples->room ? samples->room * 2 : 256;
        samples->ns = reallocarray(samples->ns, samples->room, sizeof *samples->ns);
        if (!samples->ns)
            die("out of memory");
    }
    samples->ns[samples->count++] = ns;
}

void samples_write(const struct samples *samples, const char *path)
{
    FILE *f = fopen(path, "ae");

    if (!f)
        die("open %s: %m", path);
    for (size_t i = 0; i < samples->count; i++)
        fprintf(f, "%.1f\n", (double)samples->ns[i] / NS_PER_US);
    if (ferror(f) | fclose(f))
        die("write %s: %m", path);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

void samples_print(struct samples *samples)
{
    int64_t whole = 0;

    if (samples->count == 0)
        die("there is no sample");
    qsort(samples->ns, samples->count, sizeof *samples->ns, compare);
    for (size_t i = 0; i < samples->count; i++)
        whole += samples->ns[i];
    printf("%zu samples, p50 %.1f us, p95 %.1f us, %.1f/s\n", samples->count,
           (double)samples->ns[samples->count / 2] / NS_PER_US,
           (double)samples->ns[samples->count * 95 / 100] / NS_PER_US,
           (double)samples->count * NS_PER_SEC / (double)whole);
}

void samples_deinit(struct samples *samples)
{
    free(samples->ns);
}

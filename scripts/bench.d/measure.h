/* measure - clocks, samples, and the end of a measurement that can't be taken.
 *
 * Threads: one. Ownership: samples_deinit() frees what samples_add() has kept. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NS_PER_SEC INT64_C(1000000000)
#define NS_PER_US  INT64_C(1000)

struct samples {
    int64_t *ns;
    size_t count, room;
};

/* Says "PROGRAM: what" and exits with 1. */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

int64_t now_ns(void); /* CLOCK_MONOTONIC */

/* What a process has used of the processors, all of its threads together, in ns; 0: this one. */
int64_t cpu_ns(pid_t pid);

/* A count or a pid, from 1 on; anything else is the end. */
int number_of(const char *text);

void samples_add(struct samples *samples, int64_t ns);
/* Appends them to a file, in us, a line each: so the samples of several rounds come together. */
void samples_write(const struct samples *samples, const char *path);
/* One line: count, p50, p95 and the rate that the whole gives. */
void samples_print(struct samples *samples);
void samples_deinit(struct samples *samples);

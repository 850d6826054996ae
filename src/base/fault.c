#include "base/fault.h"

#ifdef ORDERLY_FAULTS

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define VARIABLE   "ORDERLY_FAULT"
#define CHOSEN_MAX 8
#define ERRNO_MAX  256
#define TIMES_ALL  0

enum kind { KIND_ERROR, KIND_DELAY, KIND_KILL };

struct description {
    enum fault_point number;
    bool may_fail;
    const char *name, *what;
};

static const struct description points[] = {
#define MAY_FAIL(number, name, what) {FAULT_##name, true, #name, what},
#define MAY_STOP(number, name, what) {FAULT_##name, false, #name, what},
    FAULT_POINTS(MAY_FAIL, MAY_STOP)
#undef MAY_FAIL
#undef MAY_STOP
};

#define POINT_COUNT (sizeof points / sizeof *points)

struct chosen {
    const struct description *point;
    enum kind kind;
    int error; /* positive */
    int64_t delay_us;
    long at, times;
    atomic_long passed;
};

/* Written before other threads start, but for the counts. */
static struct chosen chosen[CHOSEN_MAX];
static size_t chosen_count;

/* ---- passing ---- */

static void wait_for(int64_t us)
{
    struct timespec left = {.tv_sec = us / USEC_PER_SEC, .tv_nsec = us % USEC_PER_SEC * 1000};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}

static int trip(const struct chosen *c)
{
    const struct description *p = c->point;

    switch (c->kind) {
    case KIND_ERROR:
        log_warning("fault %d %s tripped: error %s", p->number, p->name, strerrorname_np(c->error));
        return -c->error;
    case KIND_DELAY:
        log_warning("fault %d %s tripped: delay %lld ms", p->number, p->name,
                    (long long)(c->delay_us / USEC_PER_MSEC));
        wait_for(c->delay_us);
        return 0;
    case KIND_KILL:
        log_warning("fault %d %s tripped: kill", p->number, p->name);
        kill(getpid(), SIGKILL);
        for (;;)
            pause();
    }
    return 0;
}

/* Whether it is now that it is due. */
static bool is_due(struct chosen *c)
{
    long pass = atomic_fetch_add(&c->passed, 1) + 1;

    return pass >= c->at && (c->times == TIMES_ALL || pass < c->at + c->times);
}

int fault_pass(enum fault_point point)
{
    int before = errno, result = 0;

    for (size_t i = 0; i < chosen_count; i++)
        if (chosen[i].point->number == point && is_due(&chosen[i]) && result == 0)
            result = trip(&chosen[i]);
    errno = before;
    return result;
}

bool fault_pass_errno(enum fault_point point)
{
    int result = fault_pass(point);

    if (result < 0)
        errno = -result;
    return result < 0;
}

/* ---- choosing ---- */

static const struct description *find_point(const char *name)
{
    for (size_t i = 0; i < POINT_COUNT; i++)
        if (strcmp(points[i].name, name) == 0)
            return &points[i];
    return NULL;
}

static int find_errno(const char *name)
{
    for (int number = 1; number < ERRNO_MAX; number++) {
        const char *known = strerrorname_np(number);

        if (known && strcmp(known, name) == 0)
            return number;
    }
    return 0;
}

static bool take_number(const char *text, long least, long *ret_number)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (end == text || *end != '\0' || number < least)
        return false;
    *ret_number = number;
    return true;
}

static bool take_kind(struct chosen *c, const char *word)
{
    if (strncmp(word, "error", 5) == 0 && (word[5] == '\0' || word[5] == '=')) {
        c->kind = KIND_ERROR;
        c->error = word[5] ? find_errno(word + 6) : EIO;
        return c->error > 0;
    }
    if (strncmp(word, "delay=", 6) == 0) {
        c->kind = KIND_DELAY;
        return units_parse_duration(word + 6, &c->delay_us) == 0;
    }
    c->kind = KIND_KILL;
    return strcmp(word, "kill") == 0;
}

static bool take_option(struct chosen *c, const char *word)
{
    if (strncmp(word, "at=", 3) == 0)
        return take_number(word + 3, 1, &c->at);
    if (strncmp(word, "times=", 6) == 0)
        return take_number(word + 6, TIMES_ALL, &c->times);
    return false;
}

/* NAME:KIND[:OPTION...]; cut up in its place. */
static int take_choice(char *text, struct error *err)
{
    struct chosen *c = &chosen[chosen_count];
    char *rest = NULL, *name = strtok_r(text, ":", &rest), *word = strtok_r(NULL, ":", &rest);

    if (chosen_count == CHOSEN_MAX)
        return error_set(err, -E2BIG, "more than %d faults", CHOSEN_MAX);
    c->point = name ? find_point(name) : NULL;
    c->at = c->times = 1;
    atomic_init(&c->passed, 0);
    if (!c->point)
        return error_set(err, -EINVAL, "there is no fault point \"%s\"", name ? name : "");
    if (!word || !take_kind(c, word))
        return error_set(err, -EINVAL, "%s: expected error, error=ERRNO, delay=DURATION or kill",
                         c->point->name);
    if (c->kind == KIND_ERROR && !c->point->may_fail)
        return error_set(err, -EINVAL, "%s cannot fail: only delay or kill", c->point->name);
    while ((word = strtok_r(NULL, ":", &rest)))
        if (!take_option(c, word))
            return error_set(err, -EINVAL, "%s: expected at=N or times=N; got \"%s\"",
                             c->point->name, word);
    chosen_count++;
    return 0;
}

int fault_choose(const char *text, struct error *err)
{
    CLEANUP(freep) char *copy = text ? strdup(text) : NULL;
    char *rest = NULL;
    int result = 0;

    chosen_count = 0;
    if (!text)
        return 0;
    if (!copy)
        return error_set(err, -ENOMEM, "choose faults: %m");
    for (char *one = strtok_r(copy, ",", &rest); one && result == 0;
         one = strtok_r(NULL, ",", &rest))
        result = take_choice(one, err);
    if (result < 0)
        chosen_count = 0;
    return result;
}

int fault_begin(struct error *err)
{
    int result = fault_choose(getenv(VARIABLE), err);

    unsetenv(VARIABLE);
    return result < 0 ? error_prefix(err, VARIABLE) : 0;
}

bool fault_asked(int argc, char **argv)
{
    if (argc != 2 || strcmp(argv[1], "--fault-points") != 0)
        return false;
    for (size_t i = 0; i < POINT_COUNT; i++)
        printf("%d %s %s %s\n", points[i].number, points[i].name,
               points[i].may_fail ? "error,delay,kill" : "delay,kill", points[i].what);
    return true;
}

#endif

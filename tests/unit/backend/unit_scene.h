/* unit_scene - what the tests of units share: unit files in a private systemd, the systemd backend,
 * and for each watched unit a witness that keeps what it is told and waits for what it wants.
 * Threads: events come from the bus thread; everything else is the test's own.
 * Ownership: units_open() to units_close(). */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "backend/systemd.h"
#include "base/clock.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIT_FOLDER "/run/systemd/system"
#define SEEN_MAX    256
#define PATIENCE    60 /* seconds of a test that fails; none waits so long otherwise */

struct told {
    struct backend_event event;
    struct unit_seen seen;
    char detail[512];
};

struct witness {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct told told[SEEN_MAX];
    size_t count, from; /* from: where waits look from */
    struct service_spec *spec;
    struct instance *instance;
};

struct units {
    struct backend *backend;
    char folder[64]; /* for FIFOs and files of the units */
};

static inline void take_event(void *owner, const struct backend_event *event)
{
    struct witness *w = owner;
    struct told *t;

    pthread_mutex_lock(&w->mutex);
    t = &w->told[w->count < SEEN_MAX ? w->count++ : SEEN_MAX - 1];
    t->event = *event;
    if (event->unit)
        t->seen = *event->unit;
    snprintf(t->detail, sizeof t->detail, "%s", event->detail ? event->detail : "");
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->mutex);
}

/* ---- files and commands ---- */

static inline void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline void run(const char *format, ...)
{
    char command[1024];
    va_list arguments;
    int status;

    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    status = system(command);
    if (status != 0)
        fail_msg("`%s` ended with %d", command, status);
}

/* No daemon-reload here: it is one for all of them. */
static inline void write_unit(const char *name, const char *text)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof path, UNIT_FOLDER "/%s", name);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* ---- the scene ---- */

static inline void units_open(struct units *s)
{
    struct error err = {0};

    strcpy(s->folder, "/tmp/orderly-units-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    if (systemd_backend_new(take_event, &s->backend, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void units_close(struct units *s)
{
    systemd_backend_free(s->backend);
    run("rm -rf %s", s->folder);
}

static inline void watch_as(struct units *s, struct witness *w, const char *service,
                            const char *unit)
{
    pthread_condattr_t attributes;
    struct error err = {0};

    memset(w, 0, sizeof *w);
    pthread_mutex_init(&w->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&w->changed, &attributes);
    w->spec = spec_new(service);
    assert_non_null(w->spec);
    w->spec->backend = BACKEND_SYSTEMD;
    w->spec->unit = strdup(unit);
    if (s->backend->ops->adopt(s->backend, w->spec, NULL, w, &w->instance, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void watch(struct units *s, struct witness *w, const char *unit)
{
    watch_as(s, w, unit, unit);
}

static inline void unwatch(struct witness *w)
{
    w->instance->ops->release(w->instance);
    spec_unref(w->spec);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->mutex);
}

/* ---- waiting ---- */

typedef bool told_is(const struct told *told, const void *what);

static inline void say_all(const struct witness *w)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct told *t = &w->told[i];

        if (t->event.kind == BACKEND_UNIT_SEEN)
            print_message("  seen %s %s/%s pid %d fault '%s'\n", service_state_name(t->seen.state),
                          t->seen.active, t->seen.sub, (int)t->seen.pid, t->seen.fault);
        else
            print_message("  ended %d well %d: %s\n", (int)t->event.request, t->event.well,
                          t->detail);
    }
}

/* The first that was told, from where the last wait has stopped; the next looks behind it. */
static inline struct told wait_told(struct witness *w, told_is *is, const void *what,
                                    const char *name)
{
    struct timespec until;
    struct told found;
    int r = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PATIENCE;
    pthread_mutex_lock(&w->mutex);
    for (;;) {
        while (w->from < w->count && !is(&w->told[w->from], what))
            w->from++;
        if (w->from < w->count || r != 0)
            break;
        r = pthread_cond_timedwait(&w->changed, &w->mutex, &until);
    }
    if (w->from == w->count) {
        say_all(w);
        pthread_mutex_unlock(&w->mutex);
        fail_msg("%s: not told: %s", w->spec->unit, name);
    }
    found = w->told[w->from++];
    pthread_mutex_unlock(&w->mutex);
    return found;
}

static inline bool told_state(const struct told *told, const void *what)
{
    return told->event.kind == BACKEND_UNIT_SEEN &&
           told->seen.state == *(const enum service_state *)what;
}

static inline struct unit_seen wait_state(struct witness *w, enum service_state state)
{
    return wait_told(w, told_state, &state, service_state_name(state)).seen;
}

static inline bool told_fault(const struct told *told, const void *what)
{
    const char *part = what;

    return told->event.kind == BACKEND_UNIT_SEEN &&
           (part[0] ? strstr(told->seen.fault, part) != NULL : told->seen.fault[0] == '\0');
}

/* part "": that nothing is wrong (any more). */
static inline struct unit_seen wait_fault(struct witness *w, const char *part)
{
    return wait_told(w, told_fault, part, part[0] ? part : "no fault").seen;
}

static inline bool told_end(const struct told *told, const void *what)
{
    return told->event.kind == BACKEND_JOB_ENDED && told->event.request == *(const uint64_t *)what;
}

/* ---- asking ---- */

static inline void ask(struct units *s, struct witness *w, enum action action)
{
    struct launch launch = {.spec = w->spec, .restart = action == ACTION_RESTART};
    const struct backend_ops *ops = w->instance->ops;
    struct error err = {0};
    int r = 0;

    switch (action) {
    case ACTION_START:
    case ACTION_RESTART: r = ops->start(s->backend, &launch, w, &w->instance, &err); break;
    case ACTION_STOP: r = ops->signal(w->instance, SIGTERM, REACH_GROUP, &err); break;
    case ACTION_RELOAD: r = ops->reload(w->instance, &launch, &err); break;
    case ACTION_SIGNAL: r = ops->signal(w->instance, SIGUSR1, REACH_MAIN, &err); break;
    }
    if (r < 0)
        fail_msg("%s", err.text);
}

static inline struct told wait_end(struct witness *w)
{
    uint64_t request = w->instance->request;

    return wait_told(w, told_end, &request, "the end of what was asked");
}

static inline void expect_well(struct witness *w)
{
    struct told told = wait_end(w);

    if (!told.event.well)
        fail_msg("%s: not well: %s", w->spec->unit, told.detail);
}

static inline void expect_detail(struct witness *w, bool well, const char *part)
{
    struct told told = wait_end(w);

    if (told.event.well != well || !strstr(told.detail, part))
        fail_msg("%s: %s, '%s', expected %s, '%s'", w->spec->unit,
                 told.event.well ? "well" : "not well", told.detail, well ? "well" : "not well",
                 part);
}

static inline void do_well(struct units *s, struct witness *w, enum action action)
{
    ask(s, w, action);
    expect_well(w);
}

/* How the unit was when it was told last. */
static inline struct unit_seen last_seen(struct witness *w)
{
    struct unit_seen seen = {0};

    pthread_mutex_lock(&w->mutex);
    for (size_t i = 0; i < w->count; i++)
        if (w->told[i].event.kind == BACKEND_UNIT_SEEN)
            seen = w->told[i].seen;
    pthread_mutex_unlock(&w->mutex);
    return seen;
}

static inline bool ever_told(struct witness *w, enum service_state state)
{
    bool found = false;

    pthread_mutex_lock(&w->mutex);
    for (size_t i = 0; i < w->count; i++)
        found |= told_state(&w->told[i], &state);
    pthread_mutex_unlock(&w->mutex);
    return found;
}

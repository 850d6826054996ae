/* scene - what the backend's tests share: a runtime folder, a watcher, a backend, and a witness
 * that takes the events of one instance and waits for them.
 * Threads: events come from the watcher's; everything else is the test's own.
 * Ownership: scene_open() to scene_close(). */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "backend/process.h"
#include "base/clock.h"
#include "base/file.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENTS_MAX     16
#define PATIENCE       (60 * USEC_PER_SEC) /* of a test that fails; none waits so long otherwise */
#define LONG_AGO_SLEEP "sleep 86400"

struct witness {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct backend_event events[EVENTS_MAX];
    char detail[512];
    size_t count;
};

struct scene {
    char folder[64];
    char output[128]; /* stands where the FIFO for stdout would */
    const char *error_output;
    bool best_effort;
    bool dies_reloading; /* a daemon that dies has begun a reload */
    const int
        *unreaped; /* nobody reaps what it leaves until this pipe is closed; NULL: init does */
    struct watcher *watcher;
    struct backend *backend;
    struct witness witness;
    struct service_spec *spec;
    struct instance *instance;
};

static inline void witness_init(struct witness *w)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&w->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&w->changed, &attributes);
    w->count = 0;
    w->detail[0] = '\0';
}

static inline void witness_take(void *owner, const struct backend_event *event)
{
    struct witness *w = owner;

    pthread_mutex_lock(&w->mutex);
    if (w->count < EVENTS_MAX)
        w->events[w->count++] = *event;
    if (event->detail)
        snprintf(w->detail, sizeof w->detail, "%s", event->detail);
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->mutex);
}

/* The event of that number, once it has come. */
static inline struct backend_event witness_wait(struct witness *w, size_t number)
{
    int64_t until = clock_mono_us() + PATIENCE;
    struct timespec at = {until / USEC_PER_SEC, until % USEC_PER_SEC * 1000};
    struct backend_event event = {0};
    int r = 0;

    pthread_mutex_lock(&w->mutex);
    while (w->count <= number && r == 0)
        r = pthread_cond_timedwait(&w->changed, &w->mutex, &at);
    if (r == 0)
        event = w->events[number];
    pthread_mutex_unlock(&w->mutex);
    assert_int_equal(r, 0);
    return event;
}

static inline struct backend_event expect(struct scene *s, size_t number,
                                          enum backend_event_kind kind)
{
    struct backend_event event = witness_wait(&s->witness, number);

    if (event.kind != kind && s->witness.detail[0])
        print_error("%s\n", s->witness.detail);
    assert_int_equal(event.kind, kind);
    assert_int_equal(event.generation, s->instance->generation);
    return event;
}

static inline void scene_open_backend(struct scene *s)
{
    struct error err = {0};
    struct process_backend_config config = {.runtime_dir = s->folder,
                                            .executor = ORDERLY_EXEC_PATH,
                                            .workers = 2,
                                            .force_best_effort = s->best_effort};

    if (watcher_start(&s->watcher, &err) < 0 ||
        process_backend_new(&config, s->watcher, witness_take, &s->backend, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void scene_close_backend(struct scene *s)
{
    process_backend_free(s->backend);
    watcher_stop(s->watcher);
    s->backend = NULL;
    s->watcher = NULL;
}

static inline void scene_make_folder(struct scene *s)
{
    int fd;

    strcpy(s->folder, "/tmp/orderly-backend-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    assert_int_equal(chmod(s->folder, 0755), 0);
    snprintf(s->output, sizeof s->output, "%s/output", s->folder);
    fd = open(s->output, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0666), 0);
    close(fd);
}

static inline int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static inline int scene_setup(void **state, bool best_effort)
{
    struct scene *s = calloc(1, sizeof *s);

    s->best_effort = best_effort;
    witness_init(&s->witness);
    scene_make_folder(s);
    s->spec = spec_new("web");
    *state = s;
    return 0;
}

static inline int setup_cgroup(void **state)
{
    return scene_setup(state, false);
}

static inline int setup_best_effort(void **state)
{
    return scene_setup(state, true);
}

static inline int scene_teardown(void **state)
{
    struct scene *s = *state;

    if (s->instance) {
        s->backend->ops->signal(s->instance, SIGKILL, REACH_TREE, NULL);
        for (size_t i = 0; witness_wait(&s->witness, i).kind != BACKEND_TREE_GONE; i++)
            ;
        s->backend->ops->release(s->instance);
    }
    scene_close_backend(s);
    nftw(s->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    spec_unref(s->spec);
    free(s);
    return 0;
}

/* The service runs a shell. */
static inline void scene_script(struct scene *s, const char *script)
{
    string_list_clear(&s->spec->argv);
    string_list_add(&s->spec->argv, "/bin/sh");
    string_list_add(&s->spec->argv, "-c");
    string_list_add(&s->spec->argv, script);
}

static inline void scene_start(struct scene *s)
{
    struct error err = {0};
    int r;

    if (!s->backend)
        scene_open_backend(s);
    r = s->backend->ops->start(
        s->backend,
        &(struct launch){
            .spec = s->spec, .generation = 1, .fifo = s->output, .error_fifo = s->error_output},
        &s->witness, &s->instance, &err);
    if (r < 0)
        fail_msg("%s", err.text);
}

static inline void scene_run(struct scene *s, const char *script)
{
    scene_script(s, script);
    scene_start(s);
}

/* What the service wrote, once it has ended. The caller frees. */
static inline char *scene_output(struct scene *s)
{
    struct error err = {0};
    char *data = NULL;
    size_t len;

    if (file_read(s->output, 1 << 20, &data, &len, &err) < 0)
        fail_msg("%s", err.text);
    return data;
}

static inline void scene_forget(struct scene *s)
{
    s->backend->ops->release(s->instance);
    s->instance = NULL;
    s->witness.count = 0;
}

/* A test in each kind of containment. */
#define IN_BOTH_WAYS(test)                                                                         \
    {#test " (cgroup)", test, setup_cgroup, scene_teardown, NULL},                                 \
    {                                                                                              \
#test " (best effort)", test, setup_best_effort, scene_teardown, NULL                      \
    }

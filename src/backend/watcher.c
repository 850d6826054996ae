/* watcher - one epoll and one timerfd over a heap of deadlines.
 *
 * A watch that is removed may still stand in what epoll_wait() has just returned, and its memory
 * may be gone. So epoll is told not the watch but its descriptor and the number of its
 * registration, and what comes back counts only if the table still holds that number. */
#include "backend/watcher.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/lock.h"
#include "heap.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#define EVENTS_AT_ONCE 64
#define TIMER_KEY      UINT64_MAX

extern struct lock_class watcher_lock_class; /* for the compiler only */

struct registration {
    struct watch *watch; /* NULL: none */
    uint32_t number;
};

struct watcher {
    struct lock lock;
    struct cond done; /* a callback has returned */
    pthread_t thread;
    int epoll, timer;
    bool stopping GUARDED_BY(watcher_lock_class);
    struct registration *table GUARDED_BY(watcher_lock_class); /* by descriptor */
    size_t table_size GUARDED_BY(watcher_lock_class);
    size_t watched GUARDED_BY(watcher_lock_class);
    uint32_t last_number GUARDED_BY(watcher_lock_class);
    struct heap heap GUARDED_BY(watcher_lock_class);
    int64_t armed GUARDED_BY(watcher_lock_class); /* what the timer stands at */
    const void *running GUARDED_BY(watcher_lock_class);
    uint64_t runs GUARDED_BY(watcher_lock_class); /* callbacks begun, to tell two of one apart */
    size_t waiters GUARDED_BY(watcher_lock_class);
};

static void watcher_lock(struct watcher *w) ACQUIRE(watcher_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&w->lock);
}

static void watcher_unlock(struct watcher *w) RELEASE(watcher_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&w->lock);
}

/* The timer stands at the nearest deadline, and is off when there is none: no idle wake-ups. */
static void arm(struct watcher *w) REQUIRES(watcher_lock_class)
{
    const struct deadline *first = heap_first(&w->heap);
    int64_t at = first ? first->at_mono : CLOCK_NEVER;
    struct itimerspec spec = {0};

    if (w->stopping)
        at = 0;
    if (at == w->armed)
        return;
    w->armed = at;
    if (at != CLOCK_NEVER) {
        spec.it_value.tv_sec = at > 0 ? at / USEC_PER_SEC : 0;
        spec.it_value.tv_nsec = at > 0 ? at % USEC_PER_SEC * 1000 : 1; /* all zero would be off */
    }
    (void)FAULT(watcher_timer);
    timerfd_settime(w->timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void begin_callback(struct watcher *w, const void *what) REQUIRES(watcher_lock_class)
{
    w->running = what;
    w->runs++;
}

static void end_callback(struct watcher *w) REQUIRES(watcher_lock_class)
{
    w->running = NULL;
    if (w->waiters)
        cond_broadcast(&w->done);
}

/* The caller may free what it removed once this returns. */
static void wait_until_done(struct watcher *w, const void *what) REQUIRES(watcher_lock_class)
{
    uint64_t run = w->runs;

    if (pthread_equal(pthread_self(), w->thread))
        return;
    w->waiters++;
    while (w->running == what && w->runs == run)
        cond_wait(&w->done, &w->lock);
    w->waiters--;
}

static void tell(struct watcher *w, const struct epoll_event *event)
{
    size_t fd = (uint32_t)event->data.u64;
    uint32_t number = (uint32_t)(event->data.u64 >> 32);
    struct watch *watch = NULL;
    uint64_t expirations;

    if (event->data.u64 == TIMER_KEY) {
        if (read(w->timer, &expirations, sizeof expirations) < 0)
            return; /* it has been set anew meanwhile */
        return;
    }
    watcher_lock(w);
    if (fd < w->table_size && w->table[fd].number == number)
        watch = w->table[fd].watch;
    if (watch)
        begin_callback(w, watch);
    watcher_unlock(w);
    if (!watch)
        return;
    watch->ready(watch, event->events);
    watcher_lock(w);
    end_callback(w);
    watcher_unlock(w);
}

static void pass_first_deadline(struct watcher *w)
{
    struct deadline *first;

    watcher_lock(w);
    first = heap_first(&w->heap);
    if (first && first->at_mono <= clock_mono_us()) {
        heap_remove(&w->heap, first);
        begin_callback(w, first);
    } else {
        first = NULL;
    }
    arm(w);
    watcher_unlock(w);
    if (!first)
        return;
    first->passed(first);
    watcher_lock(w);
    end_callback(w);
    watcher_unlock(w);
}

/* Whether a deadline has passed, and after how many rounds everything that was ready with it must
 * have been told, so that a descriptor which is always ready can't hold up time. */
static bool look(struct watcher *w, bool *ret_due, size_t *ret_rounds)
{
    const struct deadline *first;
    bool go_on;

    watcher_lock(w);
    first = heap_first(&w->heap);
    *ret_due = first && first->at_mono <= clock_mono_us();
    *ret_rounds = w->watched / EVENTS_AT_ONCE + 2;
    go_on = !w->stopping;
    watcher_unlock(w);
    return go_on;
}

static void *run(void *argument)
{
    struct watcher *w = argument;
    struct epoll_event events[EVENTS_AT_ONCE];
    size_t rounds = 0, enough;
    bool due;

    while (look(w, &due, &enough)) {
        int count =
            FAULTS(watcher_wait) ? -1 : epoll_wait(w->epoll, events, EVENTS_AT_ONCE, due ? 0 : -1);

        for (int i = 0; i < count; i++)
            tell(w, &events[i]);
        if (!due || (count > 0 && ++rounds < enough))
            continue;
        rounds = 0;
        pass_first_deadline(w);
    }
    return NULL;
}

static void free_watcher(struct watcher *w) NO_THREAD_SAFETY_CHECK /* nobody else is left */
{
    if (w->epoll >= 0)
        close(w->epoll);
    if (w->timer >= 0)
        close(w->timer);
    heap_deinit(&w->heap);
    free(w->table);
    cond_deinit(&w->done);
    lock_deinit(&w->lock);
    free(w);
}

static int open_descriptors(struct watcher *w, struct error *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = TIMER_KEY};

    w->epoll = FAULTS(watcher_open) ? -1 : epoll_create1(EPOLL_CLOEXEC);
    if (w->epoll < 0)
        return error_set(err, -errno, "make an epoll descriptor: %m");
    w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (w->timer < 0)
        return error_set(err, -errno, "make a timer descriptor: %m");
    if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->timer, &event) < 0)
        return error_set(err, -errno, "watch the timer: %m");
    return 0;
}

int watcher_start(struct watcher **ret_watcher, struct error *err) NO_THREAD_SAFETY_CHECK
{
    struct watcher *w = calloc(1, sizeof *w);
    int r;

    if (!w)
        return error_set(err, -ENOMEM, "start the watcher: %m");
    w->epoll = w->timer = -1;
    w->armed = CLOCK_NEVER;
    lock_init(&w->lock, LOCK_WATCHER);
    cond_init(&w->done);
    r = open_descriptors(w, err);
    if (r == 0) {
        r = thread_start(&w->thread, "watcher", run, w);
        if (r < 0)
            error_set(err, r, "start the watcher's thread: %m");
    }
    if (r < 0) {
        free_watcher(w);
        return r;
    }
    *ret_watcher = w;
    return 0;
}

void watcher_stop(struct watcher *w)
{
    if (!w)
        return;
    watcher_lock(w);
    w->stopping = true;
    arm(w);
    watcher_unlock(w);
    pthread_join(w->thread, NULL);
    free_watcher(w);
}

static int make_room(struct watcher *w, size_t fd) REQUIRES(watcher_lock_class)
{
    size_t size = w->table_size ? w->table_size : 64;
    struct registration *grown;

    if (fd < w->table_size)
        return 0;
    while (size <= fd)
        size *= 2;
    grown = realloc(w->table, size * sizeof *grown);
    if (!grown)
        return -ENOMEM;
    memset(grown + w->table_size, 0, (size - w->table_size) * sizeof *grown);
    w->table = grown;
    w->table_size = size;
    return 0;
}

static int add(struct watcher *w, struct watch *watch, int fd, uint32_t events)
    REQUIRES(watcher_lock_class)
{
    uint32_t number = ++w->last_number;
    struct epoll_event event = {.events = events,
                                .data.u64 = (uint64_t)number << 32 | (uint32_t)fd};

    if (make_room(w, (size_t)fd) < 0)
        return -ENOMEM;
    if (FAULTS(watcher_add) || epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        return -errno;
    w->table[fd] = (struct registration){watch, number};
    w->watched++;
    watch->fd = fd;
    watch->added = true;
    return 0;
}

int watcher_add(struct watcher *w, struct watch *watch, int fd, uint32_t events, struct error *err)
{
    int r;

    watcher_lock(w);
    r = add(w, watch, fd, events);
    watcher_unlock(w);
    return r < 0 ? error_set(err, r, "watch descriptor %d: %m", fd) : 0;
}

static void take_out(struct watcher *w, struct watch *watch) REQUIRES(watcher_lock_class)
{
    if (!watch->added)
        return;
    epoll_ctl(w->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    w->table[watch->fd].watch = NULL;
    w->watched--;
    watch->added = false;
}

void watcher_remove(struct watcher *w, struct watch *watch)
{
    watcher_lock(w);
    take_out(w, watch);
    wait_until_done(w, watch);
    take_out(w, watch); /* the callback that was waited for may have added it again */
    watcher_unlock(w);
}

void watcher_set(struct watcher *w, struct deadline *deadline, int64_t at_mono)
{
    watcher_lock(w);
    heap_set(&w->heap, deadline, at_mono);
    arm(w);
    watcher_unlock(w);
}

void watcher_clear(struct watcher *w, struct deadline *deadline)
{
    watcher_lock(w);
    heap_remove(&w->heap, deadline);
    wait_until_done(w, deadline);
    heap_remove(&w->heap, deadline); /* the callback that was waited for may have set it again */
    arm(w);
    watcher_unlock(w);
}

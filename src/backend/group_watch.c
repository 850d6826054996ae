#include "group_watch.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/lock.h"
#include "cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

extern struct lock_class group_watch_lock_class; /* for the compiler only */

struct group_watch {
    struct lock lock; /* the watcher's may be taken under it */
    struct watcher *watcher;
    struct watch watch;
    int fd;
    struct list waits GUARDED_BY(group_watch_lock_class);
    struct list leftovers GUARDED_BY(group_watch_lock_class);
};

/* A group that could not be removed yet. */
struct leftover {
    struct list link;
    char path[];
};

static void group_watch_lock(struct group_watch *g)
    ACQUIRE(group_watch_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&g->lock);
}

static void group_watch_unlock(struct group_watch *g)
    RELEASE(group_watch_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&g->lock);
}

static void wake(struct group_watch *g, const struct inotify_event *event)
{
    group_watch_lock(g);
    list_for_each(link, &g->waits)
    {
        struct group_wait *wait = list_entry(link, struct group_wait, link);

        if (wait->number == event->wd || (event->mask & IN_Q_OVERFLOW))
            watcher_set(g->watcher, wait->wake, clock_mono_us());
    }
    group_watch_unlock(g);
}

static void ready(struct watch *watch, uint32_t events)
{
    struct group_watch *g = list_entry(watch, struct group_watch, watch);
    char data[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n;

    (void)events;
    while ((n = read(g->fd, data, sizeof data)) > 0)
        for (char *at = data; at < data + n;) {
            const struct inotify_event *event = (const void *)at;

            wake(g, event);
            at += sizeof *event + event->len;
        }
}

int group_watch_new(struct watcher *watcher, struct group_watch **ret_watch,
                    struct error *err) NO_THREAD_SAFETY_CHECK
{
    struct group_watch *g = calloc(1, sizeof *g);
    int r;

    if (!g)
        return error_set(err, -ENOMEM, "watch groups: %m");
    lock_init(&g->lock, LOCK_GROUP_WATCH);
    list_init(&g->waits);
    list_init(&g->leftovers);
    g->watcher = watcher;
    g->watch.ready = ready;
    g->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    r = g->fd < 0 ? error_set(err, -errno, "make an inotify descriptor: %m")
                  : watcher_add(watcher, &g->watch, g->fd, EPOLLIN, err);
    if (r < 0) {
        group_watch_free(g);
        return r;
    }
    *ret_watch = g;
    return 0;
}

static void try_leftovers(struct group_watch *g) REQUIRES(group_watch_lock_class)
{
    list_for_each_safe(link, &g->leftovers)
    {
        struct leftover *l = list_entry(link, struct leftover, link);

        if (cgroup_remove(l->path) < 0)
            continue;
        list_remove(link);
        free(l);
    }
}

void group_watch_discard(struct group_watch *g, const char *path)
{
    struct leftover *l = NULL;

    group_watch_lock(g);
    try_leftovers(g);
    if (cgroup_remove(path) < 0)
        l = malloc(sizeof *l + strlen(path) + 1); /* without memory it stays: the next daemon's */
    if (l) {
        strcpy(l->path, path);
        list_append(&g->leftovers, &l->link);
    }
    group_watch_unlock(g);
}

void group_watch_free(struct group_watch *g) NO_THREAD_SAFETY_CHECK
{
    if (!g)
        return;
    watcher_remove(g->watcher, &g->watch);
    if (g->fd >= 0)
        close(g->fd);
    try_leftovers(g);
    list_for_each_safe(link, &g->leftovers) free(list_entry(link, struct leftover, link));
    lock_deinit(&g->lock);
    free(g);
}

int group_watch_add(struct group_watch *g, struct group_wait *wait, const char *path,
                    struct deadline *deadline, struct error *err)
{
    CLEANUP(freep) char *file = NULL;
    int r = 0;

    if (asprintf(&file, "%s/cgroup.events", path) < 0) {
        file = NULL;
        return error_set(err, -ENOMEM, "watch group %s: %m", path);
    }
    wait->wake = deadline;
    group_watch_lock(g);
    wait->number = FAULTS(group_watch) ? -1 : inotify_add_watch(g->fd, file, IN_MODIFY);
    if (wait->number < 0) {
        r = error_set(err, -errno, "watch %s: %m", file);
    } else {
        list_append(&g->waits, &wait->link);
        wait->added = true;
    }
    group_watch_unlock(g);
    return r;
}

void group_watch_remove(struct group_watch *g, struct group_wait *wait)
{
    group_watch_lock(g);
    if (wait->added) {
        inotify_rm_watch(g->fd, wait->number);
        list_remove(&wait->link);
        wait->added = false;
    }
    try_leftovers(g);
    group_watch_unlock(g);
}

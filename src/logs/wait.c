/* Every waiter stands in two lists: all of them, for their times, and those of its channel; one
 * that waits for a descriptor stands in an epoll instead, which is a part of the thread's. */
#include "wait.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define NOT_OPEN INT64_C(-1)
#define EVENTS   64

struct waiter {
    struct list any, same;
    const char *service; /* NULL: waits for fd */
    enum stream stream;
    int fd;
    int64_t until;
    log_wait_done *done;
    void *context;
};

static struct channel *find(struct logs *logs, const char *service, enum stream stream)
    REQUIRES(logs_lock_class)
{
    struct log *log = logs_find(logs, service);

    return log ? log->channels[stream] : NULL;
}

static int64_t mark_of(struct logs *logs, const char *service, enum stream stream)
    REQUIRES(logs_lock_class)
{
    const struct channel *ch = find(logs, service, stream);

    return ch ? ch->filed : NOT_OPEN;
}

int64_t wait_mark(struct logs *logs, const char *service, enum stream stream)
{
    int64_t mark;

    logs_lock(logs);
    mark = mark_of(logs, service, stream);
    logs_unlock(logs);
    return mark;
}

static void insert_same(struct logs *logs, struct waiter *w) REQUIRES(logs_lock_class)
{
    struct channel *ch = find(logs, w->service, w->stream);

    list_append(ch ? &ch->waiters : &logs->strangers, &w->same);
}

/* Whether the thread must be told of an earlier time. */
static bool insert(struct logs *logs, struct waiter *w) REQUIRES(logs_lock_class)
{
    list_append(&logs->waiters, &w->any);
    if (w->until >= logs->nearest)
        return false;
    logs->nearest = w->until;
    return true;
}

bool wait_add(struct logs *logs, const char *service, enum stream stream, int64_t mark,
              int64_t until_mono, log_wait_done *done, void *context)
{
    struct waiter *w = malloc(sizeof *w);
    bool added, earlier = false;

    if (!w)
        return false;
    *w = (struct waiter){.service = service,
                         .stream = stream,
                         .until = until_mono,
                         .done = done,
                         .context = context};
    logs_lock(logs);
    added = !logs->stopping && mark_of(logs, service, stream) == mark;
    if (added) {
        insert_same(logs, w);
        earlier = insert(logs, w);
    }
    logs_unlock(logs);
    if (earlier)
        logs_wake(logs);
    if (!added)
        free(w);
    return added;
}

/* ---- for descriptors ---- */

static bool watch(struct logs *logs, struct waiter *w) REQUIRES(logs_lock_class)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = w};

    return epoll_ctl(logs->watch_fd, EPOLL_CTL_ADD, w->fd, &event) == 0;
}

bool wait_watch(struct logs *logs, int fd, int64_t until_mono, log_wait_done *done, void *context)
{
    struct waiter *w = malloc(sizeof *w);
    bool added, earlier = false;

    if (!w)
        return false;
    *w = (struct waiter){.fd = fd, .until = until_mono, .done = done, .context = context};
    list_init(&w->same);
    logs_lock(logs);
    added = !logs->stopping && watch(logs, w);
    if (added)
        earlier = insert(logs, w);
    logs_unlock(logs);
    if (earlier)
        logs_wake(logs);
    if (!added)
        free(w);
    return added;
}

static void find_nearest(struct logs *logs) REQUIRES(logs_lock_class)
{
    logs->nearest = CLOCK_NEVER;
    list_for_each(link, &logs->waiters)
    {
        const struct waiter *w = list_entry(link, struct waiter, any);

        if (w->until < logs->nearest)
            logs->nearest = w->until;
    }
}

void wait_take_channel(struct channel *ch, struct list *ready)
{
    bool nearest = false;

    list_for_each(link, &ch->waiters)
    {
        struct waiter *w = list_entry(link, struct waiter, same);

        nearest |= w->until == ch->log->logs->nearest;
        list_remove(&w->any);
    }
    list_take_all(ready, &ch->waiters);
    if (nearest)
        find_nearest(ch->log->logs);
}

/* Before it is closed: another process may still hold it. */
static void take_waiter(struct logs *logs, struct waiter *w, struct list *ready)
    REQUIRES(logs_lock_class)
{
    if (!w->service)
        epoll_ctl(logs->watch_fd, EPOLL_CTL_DEL, w->fd, NULL);
    list_remove(&w->any);
    list_remove(&w->same);
    list_append(ready, &w->same);
}

void wait_take_watched(struct logs *logs, struct list *ready)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(logs->watch_fd, events, EVENTS, 0);

    for (int i = 0; i < count; i++)
        take_waiter(logs, events[i].data.ptr, ready);
    find_nearest(logs);
}

static void take_until(struct logs *logs, int64_t until, struct list *ready)
    REQUIRES(logs_lock_class)
{
    list_for_each_safe(link, &logs->waiters)
    {
        struct waiter *w = list_entry(link, struct waiter, any);

        if (w->until <= until)
            take_waiter(logs, w, ready);
    }
    find_nearest(logs);
}

void wait_take_due(struct logs *logs, int64_t now, struct list *ready)
{
    if (logs->nearest <= now)
        take_until(logs, now, ready);
}

void wait_take_all(struct logs *logs, struct list *ready)
{
    take_until(logs, CLOCK_NEVER, ready);
}

void wait_end(struct list *ready)
{
    list_for_each_safe(link, ready)
    {
        struct waiter *w = list_entry(link, struct waiter, same);

        w->done(w->context);
        free(w);
    }
}

void wait_adopt(struct channel *ch)
{
    list_for_each_safe(link, &ch->log->logs->strangers)
    {
        const struct waiter *w = list_entry(link, struct waiter, same);

        if (w->stream != ch->stream || strcmp(w->service, ch->log->name) != 0)
            continue;
        list_remove(link);
        list_append(&ch->waiters, link);
    }
}

/* The logs' thread: one epoll over all FIFOs, and an eventfd for what others ask of it. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "capture.h"
#include "state.h"
#include "tail.h"
#include "wait.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define EVENTS 64

struct lock_class logs_lock_class;

void logs_lock(struct logs *logs) NO_THREAD_SAFETY_CHECK
{
    lock_take(&logs->lock);
}

void logs_unlock(struct logs *logs) NO_THREAD_SAFETY_CHECK
{
    lock_release(&logs->lock);
}

void logs_wake(struct logs *logs)
{
    eventfd_write(logs->wake_fd, 1); /* when it can't take more, the thread is told already */
}

static int timeout_ms(struct logs *logs)
{
    int64_t next = capture_next_retry(logs), left;

    logs_lock(logs);
    if (logs->nearest < next)
        next = logs->nearest;
    logs_unlock(logs);
    if (next == CLOCK_NEVER)
        return -1;
    left = (next - clock_mono_us() + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
    if (left < 0)
        return 0;
    return left < INT_MAX ? (int)left : INT_MAX;
}

static void end_due_waits(struct logs *logs, int64_t now)
{
    struct list ready;

    list_init(&ready);
    logs_lock(logs);
    wait_take_due(logs, now, &ready);
    logs_unlock(logs);
    wait_end(&ready);
}

static void turn(struct logs *logs)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(logs->epoll_fd, events, EVENTS, timeout_ms(logs));
    eventfd_t unused;
    int64_t now;

    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr)
            capture_ready(events[i].data.ptr);
        else
            eventfd_read(logs->wake_fd, &unused);
    }
    tail_answer(logs);
    now = clock_mono_us();
    end_due_waits(logs, now);
    capture_retry(logs, now);
}

static bool is_stopping(struct logs *logs)
{
    bool stopping;

    logs_lock(logs);
    stopping = logs->stopping;
    logs_unlock(logs);
    return stopping;
}

static void finish(struct logs *logs)
{
    struct list ready;
    struct log *log;

    for (size_t i = 0; (log = logs_at(logs, i)); i++)
        capture_drain(log);
    while (tail_answer(logs))
        continue;
    list_init(&ready);
    logs_lock(logs);
    wait_take_all(logs, &ready);
    logs_unlock(logs);
    wait_end(&ready);
}

static void *run(void *argument)
{
    struct logs *logs = argument;

    while (!is_stopping(logs))
        turn(logs);
    finish(logs);
    return NULL;
}

/* Nobody else can see it, before the thread has begun and after it has ended. */
static void logs_free(struct logs *logs) NO_THREAD_SAFETY_CHECK
{
    closep(&logs->epoll_fd);
    for (size_t i = 0; i < logs->count; i++)
        log_free(logs->all[i]);
    free(logs->all);
    closep(&logs->wake_fd);
    closep(&logs->dir_fd);
    peek_deinit(&logs->peek);
    cond_deinit(&logs->moved);
    lock_deinit(&logs->lock);
    free(logs->runtime_dir);
    free(logs);
}

static struct logs *logs_new(const char *runtime_dir) NO_THREAD_SAFETY_CHECK
{
    struct logs *logs = calloc(1, sizeof *logs);

    if (!logs)
        return NULL;
    logs->dir_fd = logs->epoll_fd = logs->wake_fd = -1;
    logs->peek.pipe[0] = logs->peek.pipe[1] = -1;
    logs->nearest = CLOCK_NEVER;
    lock_init(&logs->lock);
    cond_init(&logs->moved);
    list_init(&logs->paused);
    list_init(&logs->tails);
    list_init(&logs->waiters);
    list_init(&logs->strangers);
    logs->runtime_dir = strdup(runtime_dir);
    if (!logs->runtime_dir) {
        logs_free(logs);
        return NULL;
    }
    return logs;
}

static int set_up(struct logs *logs, const char *log_dir, struct error *err)
{
    struct epoll_event event = {.events = EPOLLIN};
    int result = file_make_folder(logs->runtime_dir, 0755, err);

    if (result == 0)
        result = file_make_folder(log_dir, 0755, err);
    if (result < 0)
        return result;
    logs->dir_fd = open(log_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (logs->dir_fd < 0)
        return error_set(err, -errno, "open folder %s: %m", log_dir);
    result = peek_init(&logs->peek);
    if (result < 0)
        return error_set(err, result, "make a pipe for the logs: %m");
    logs->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    logs->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (logs->epoll_fd < 0 || logs->wake_fd < 0 ||
        epoll_ctl(logs->epoll_fd, EPOLL_CTL_ADD, logs->wake_fd, &event) < 0)
        return error_set(err, -errno, "watch the logs: %m");
    return 0;
}

int logs_start(const char *runtime_dir, const char *log_dir, struct logs **ret_logs,
               struct error *err)
{
    struct logs *logs = logs_new(runtime_dir);
    int result;

    if (!logs)
        return error_set(err, -ENOMEM, "start the logs: %m");
    result = set_up(logs, log_dir, err);
    if (result == 0) {
        result = thread_start(&logs->thread, "logs", run, logs);
        if (result < 0)
            error_set(err, result, "start the logs' thread: %m");
    }
    if (result < 0) {
        logs_free(logs);
        return result;
    }
    *ret_logs = logs;
    return 0;
}

void logs_stop(struct logs *logs)
{
    if (!logs)
        return;
    logs_lock(logs);
    logs->stopping = true;
    logs_unlock(logs);
    logs_wake(logs);
    pthread_join(logs->thread, NULL);
    logs_free(logs);
}

/* The logs' thread: one epoll over all FIFOs and the console, and an eventfd for what others ask of
 * it. It sleeps until one of them tells, or the nearest deadline; there is none while no log has an
 * age and nothing is in trouble. */
#include "age.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "capture.h"
#include "compress.h"
#include "fd_store.h"
#include "request.h"
#include "state.h"
#include "tail.h"
#include "wait.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
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

bool logs_stopping(struct logs *logs)
{
    bool stopping;

    logs_lock(logs);
    stopping = logs->stopping;
    logs_unlock(logs);
    return stopping;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int timeout_ms(struct logs *logs)
{
    int64_t next = earlier(capture_next_retry(logs), logs->age_next), left;

    next = earlier(next, console_next_retry(&logs->console));
    logs_lock(logs);
    next = earlier(next, logs->nearest);
    logs_unlock(logs);
    if (next == CLOCK_NEVER)
        return -1;
    left = (next - clock_mono_us() + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
    if (left < 0)
        return 0;
    return left < INT_MAX ? (int)left : INT_MAX;
}

static void end_watched_waits(struct logs *logs)
{
    struct list ready;

    list_init(&ready);
    logs_lock(logs);
    wait_take_watched(logs, &ready);
    logs_unlock(logs);
    wait_end(&ready);
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

static struct log *next_changed(struct logs *logs)
{
    struct log *log = NULL;

    logs_lock(logs);
    if (!list_empty(&logs->changed)) {
        log = list_entry(logs->changed.next, struct log, in_changed);
        list_remove(&log->in_changed);
    }
    logs_unlock(logs);
    return log;
}

static void apply_changes(struct logs *logs)
{
    struct log *log;

    while ((log = next_changed(logs)))
        for (int stream = 0; stream < STREAMS; stream++) {
            struct channel *ch = log_channel(log, (enum stream)stream);

            if (ch)
                capture_apply(ch);
        }
}

/* What others have asked for; false: nothing. */
static bool answer(struct logs *logs)
{
    bool any = tail_answer(logs);

    return request_answer(logs) || any;
}

static void handle(struct logs *logs, const struct epoll_event *event)
{
    eventfd_t unused;

    if (!event->data.ptr)
        eventfd_read(logs->wake_fd, &unused);
    else if (event->data.ptr == &logs->console)
        console_writable(logs);
    else if (event->data.ptr == &logs->watch_fd)
        end_watched_waits(logs);
    else
        capture_ready(event->data.ptr);
}

static void turn(struct logs *logs)
{
    struct epoll_event events[EVENTS];
    int count =
        FAULTS(log_wait) ? -1 : epoll_wait(logs->epoll_fd, events, EVENTS, timeout_ms(logs));
    int64_t now;

    apply_changes(logs);
    for (int i = 0; i < count; i++) {
        handle(logs, &events[i]);
        answer(logs); /* whoever asks waits for one portion of another service, not for all */
    }
    compress_settle(logs);
    now = clock_mono_us();
    end_due_waits(logs, now);
    capture_retry(logs, now);
    console_retry(logs, now);
    age_run(logs, now);
}

/* ---- the end ---- */

#define CONSOLE_PATIENCE USEC_PER_SEC /* for a console that takes nothing */

static void drain_all(struct logs *logs)
{
    struct channel *ch;

    for (size_t i = 0; (ch = logs_next_channel(logs, &i));)
        capture_drain(ch);
}

/* Whether it takes more before then. */
static bool wait_for_console(struct logs *logs, int64_t until)
{
    struct pollfd poll_fd = {.fd = logs->console.fd, .events = POLLOUT};
    int64_t left = (until - clock_mono_us()) / USEC_PER_MSEC;

    if (logs->console.error || left <= 0 || poll(&poll_fd, 1, (int)left) <= 0)
        return false;
    console_writable(logs);
    return true;
}

static void empty_console(struct logs *logs)
{
    int64_t until = clock_mono_us() + CONSOLE_PATIENCE;
    struct channel *ch;

    while (!list_empty(&logs->console.ready) && wait_for_console(logs, until))
        drain_all(logs);
    for (size_t i = 0; (ch = logs_next_channel(logs, &i));)
        console_leave(ch);
    console_flush(logs);
    while (!list_empty(&logs->console.ready) && wait_for_console(logs, until))
        continue;
}

static void finish(struct logs *logs)
{
    struct list ready;

    logs->finishing = true;
    drain_all(logs);
    empty_console(logs);
    while (answer(logs))
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

    while (!logs_stopping(logs))
        turn(logs);
    finish(logs);
    return NULL;
}

/* Nobody else can see it, before the thread has begun and after it has ended. */
static void logs_free(struct logs *logs) NO_THREAD_SAFETY_CHECK
{
    fd_store_close(logs->fd_store);
    closep(&logs->epoll_fd);
    closep(&logs->watch_fd);
    for (size_t i = 0; i < logs->count; i++)
        log_free(logs->all[i]);
    free(logs->all);
    console_deinit(&logs->console);
    compress_deinit(logs);
    closep(&logs->wake_fd);
    closep(&logs->null_fd);
    closep(&logs->dir_fd);
    free(logs->stamped);
    peek_deinit(&logs->peek);
    cond_deinit(&logs->moved);
    lock_deinit(&logs->lock);
    free(logs->runtime_dir);
    free(logs);
}

static struct logs *logs_new(const struct logs_config *config) NO_THREAD_SAFETY_CHECK
{
    struct logs *logs = calloc(1, sizeof *logs);

    if (!logs)
        return NULL;
    logs->dir_fd = logs->epoll_fd = logs->wake_fd = logs->watch_fd = logs->null_fd = -1;
    logs->peek.pipe[0] = logs->peek.pipe[1] = -1;
    logs->nearest = logs->age_next = CLOCK_NEVER;
    logs->trouble = config->trouble;
    logs->context = config->context;
    lock_init(&logs->lock, LOCK_LOGS);
    cond_init(&logs->moved);
    compress_init(logs);
    console_init(&logs->console, config->console);
    list_init(&logs->paused);
    list_init(&logs->changed);
    list_init(&logs->tails);
    list_init(&logs->rotations);
    list_init(&logs->waiters);
    list_init(&logs->strangers);
    logs->runtime_dir = strdup(config->runtime_dir);
    if (!logs->runtime_dir) {
        logs_free(logs);
        return NULL;
    }
    return logs;
}

static int set_up(struct logs *logs, const char *log_dir, struct error *err)
{
    struct epoll_event wake = {.events = EPOLLIN};
    struct epoll_event watch = {.events = EPOLLIN, .data.ptr = &logs->watch_fd};
    int result = file_make_folder(logs->runtime_dir, 0755, err);

    if (result == 0)
        result = file_make_folder(log_dir, 0755, err);
    if (result < 0)
        return result;
    result = fd_store_open(&logs->fd_store);
    if (result < 0)
        return error_set(err, result, "take over the descriptors that were kept for us: %m");
    logs->dir_fd = open(log_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (logs->dir_fd < 0)
        return error_set(err, -errno, "open folder %s: %m", log_dir);
    logs->null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC); /* it can be done without */
    result = peek_init(&logs->peek);
    if (result < 0)
        return error_set(err, result, "make a pipe for the logs: %m");
    logs->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    logs->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    logs->watch_fd = epoll_create1(EPOLL_CLOEXEC);
    if (logs->epoll_fd < 0 || logs->wake_fd < 0 || logs->watch_fd < 0 ||
        epoll_ctl(logs->epoll_fd, EPOLL_CTL_ADD, logs->wake_fd, &wake) < 0 ||
        epoll_ctl(logs->epoll_fd, EPOLL_CTL_ADD, logs->watch_fd, &watch) < 0)
        return error_set(err, -errno, "watch the logs: %m");
    return 0;
}

int logs_start(const struct logs_config *config, struct logs **ret_logs, struct error *err)
{
    struct logs *logs = logs_new(config);
    int result;

    if (!logs)
        return error_set(err, -ENOMEM, "start the logs: %m");
    result = set_up(logs, config->log_dir, err);
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
    compress_stop(logs);
    logs_free(logs);
}

void logs_forget_stored(struct logs *logs)
{
    fd_store_forget(logs->fd_store);
}

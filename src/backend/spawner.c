#include "spawner.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define LOWEST_PLACE 3

extern struct lock_class spawn_lock_class; /* for the compiler only */

static void spawner_lock(struct spawner *s) ACQUIRE(spawn_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&s->lock);
}

static void spawner_unlock(struct spawner *s) RELEASE(spawn_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&s->lock);
}

/* ---- what the child does, in the parent's memory: async-signal-safe calls only, on a stack that
 * AddressSanitizer does not know ---- */

#define ON_FOREIGN_STACK __attribute__((no_sanitize("address")))

struct child {
    const char *executor;
    char *const *arguments, *const *environment;
    struct place place;
    unsigned limit;
    int error; /* told by the memory that is shared */
};

ON_FOREIGN_STACK static int child_main(void *argument)
{
    struct child *c = argument;

    c->error = -sys_close_range(c->limit, ~0u, CLOSE_RANGE_UNSHARE);
    if (c->error == 0 && fcntl(c->place.settings, F_SETFD, 0) == 0 &&
        fcntl(c->place.gate, F_SETFD, 0) == 0)
        execve(c->executor, c->arguments, c->environment);
    if (c->error == 0)
        c->error = errno;
    _exit(127);
}

ON_FOREIGN_STACK static int child_nothing(void *argument)
{
    (void)argument;
    _exit(0);
}

/* ---- the spawner ---- */

static void reap(int pidfd)
{
    struct pollfd wait = {.fd = pidfd, .events = POLLIN};
    siginfo_t info;

    while (poll(&wait, 1, -1) < 0 && errno == EINTR)
        ;
    waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
}

static bool try_clone(struct spawner *s, int cgroup)
{
    CLEANUP(closep) int pidfd = -1;
    int status;

    if (FAULT(spawn_trial) ||
        sys_clone_exec(child_nothing, NULL, s->places[0].stack, cgroup, &pidfd) < 0)
        return false;
    reap(pidfd);
    s->exit_info = sys_pidfd_exit_status(pidfd, &status) == 0;
    return true;
}

static int keep_descriptor(struct spawner *s, int *ret_fd)
{
    int fd = fcntl(s->null, F_DUPFD_CLOEXEC, LOWEST_PLACE);

    if (fd < 0)
        return -errno;
    if ((unsigned)fd >= s->limit)
        s->limit = (unsigned)fd + 1;
    *ret_fd = fd;
    return 0;
}

static int keep_place(struct spawner *s, struct place *place)
{
    int r = keep_descriptor(s, &place->settings);

    if (r == 0)
        r = keep_descriptor(s, &place->gate);
    place->stack = mmap(NULL, SYS_STACK_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    return r == 0 && place->stack == MAP_FAILED ? -errno : r;
}

static int keep_places(struct spawner *s, unsigned workers)
{
    int r = 0;

    for (unsigned i = 0; i < workers && r == 0; i++) {
        s->places[i] = (struct place){-1, -1, MAP_FAILED};
        s->count = s->free_count = i + 1;
        r = keep_place(s, &s->places[i]);
    }
    return r;
}

void spawner_zero(struct spawner *s)
{
    *s = (struct spawner){.null = -1, .limit = LOWEST_PLACE};
    lock_init(&s->lock, LOCK_SPAWNER);
    cond_init(&s->returned);
}

int spawner_init(struct spawner *s, unsigned workers, int trial_cgroup, struct error *err)
{
    int r;

    if (workers == 0)
        workers = 1;
    s->null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (s->null < 0)
        return error_set(err, -errno, "open /dev/null: %m");
    s->places = calloc(workers, sizeof *s->places);
    r = s->places ? keep_places(s, workers) : -ENOMEM;
    if (r < 0)
        return error_set(err, r, "keep what starting services needs: %m");
    s->clones = try_clone(s, -1);
    s->clones_into = s->clones && trial_cgroup >= 0 && try_clone(s, trial_cgroup);
    return 0;
}

void spawner_deinit(struct spawner *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        closep(&s->places[i].settings);
        closep(&s->places[i].gate);
        if (s->places[i].stack != MAP_FAILED)
            munmap(s->places[i].stack, SYS_STACK_SIZE);
    }
    free(s->places);
    closep(&s->null);
    cond_deinit(&s->returned);
    lock_deinit(&s->lock);
}

static struct place take_place(struct spawner *s)
{
    struct place place;

    spawner_lock(s);
    while (s->free_count == 0)
        cond_wait(&s->returned, &s->lock);
    place = s->places[--s->free_count];
    spawner_unlock(s);
    return place;
}

/* They hold nothing of the service's any more: an open gate would never end. */
static void return_place(struct spawner *s, struct place place)
{
    dup3(s->null, place.settings, O_CLOEXEC);
    dup3(s->null, place.gate, O_CLOEXEC);
    spawner_lock(s);
    s->places[s->free_count++] = place;
    cond_signal(&s->returned);
    spawner_unlock(s);
}

static int spawn_by_clone(struct spawner *s, const struct spawn *spawn, struct child *child,
                          pid_t *ret_pid, int *ret_pidfd)
{
    int pidfd = -1;
    pid_t pid;

    child->limit = s->limit;
    pid = FAULT(spawn_clone)
              ?: sys_clone_exec(child_main, child, child->place.stack, spawn->cgroup, &pidfd);
    if (pid < 0)
        return pid;
    if (child->error) {
        reap(pidfd);
        close(pidfd);
        return -child->error;
    }
    *ret_pid = pid;
    *ret_pidfd = pidfd;
    return 0;
}

static int spawn_by_posix(const struct child *child, pid_t *ret_pid, int *ret_pidfd)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int pidfd, r = posix_spawn_file_actions_init(&actions);

    if (r != 0)
        return -r;
    /* Onto itself: that clears CLOEXEC. */
    r = posix_spawn_file_actions_adddup2(&actions, child->place.settings, child->place.settings);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&actions, child->place.gate, child->place.gate);
    if (r == 0)
        r = -FAULT(spawn_posix)
                ?: posix_spawn(&pid, child->executor, &actions, NULL, child->arguments,
                               child->environment);
    posix_spawn_file_actions_destroy(&actions);
    if (r != 0)
        return -r;
    pidfd = FAULT(spawn_pidfd)
                ?: sys_pidfd_open(pid); /* ours, and not reaped: it is the one that was started */
    if (pidfd < 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return pidfd;
    }
    *ret_pid = pid;
    *ret_pidfd = pidfd;
    return 0;
}

int spawner_spawn(struct spawner *s, const struct spawn *spawn, pid_t *ret_pid, int *ret_pidfd,
                  struct error *err)
{
    struct place place = take_place(s);
    char settings[12], gate[12];
    char *arguments[] = {(char *)spawn->executor, settings, gate, NULL};
    char *environment[] = {(char *)spawn->marker, NULL};
    struct child child = {.executor = spawn->executor,
                          .arguments = arguments,
                          .environment = environment,
                          .place = place};
    int r = 0;

    snprintf(settings, sizeof settings, "%d", place.settings);
    snprintf(gate, sizeof gate, "%d", place.gate);
    if (dup3(spawn->settings, place.settings, O_CLOEXEC) < 0 ||
        dup3(spawn->gate, place.gate, O_CLOEXEC) < 0)
        r = -errno;
    else if (s->clones)
        r = spawn_by_clone(s, spawn, &child, ret_pid, ret_pidfd);
    else
        r = spawn_by_posix(&child, ret_pid, ret_pidfd);
    return_place(s, place);
    return r < 0 ? error_set(err, r, "start %s: %m", spawn->executor) : 0;
}

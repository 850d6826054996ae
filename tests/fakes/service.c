/* fake-service - a service of known temper, which bears witness.
 *
 * It takes DIR/NAME.lock; when it cannot, another copy lives: it shouts into DIR/overlap and ends.
 * Into DIR/NAME.witness it writes "start PID NS", "ready PID NS", "term PID NS", "stop PID NS"
 * (CLOCK_MONOTONIC), a line per write, so that what really happened can be compared with what was
 * answered. Everything that it forks keeps the lock: a tree that is not gone cannot be replaced
 * unseen. With --hold-start or --hold-stop it gets ready, or stops, only once nobody else has
 * DIR/NAME.hold locked.
 *
 * SIGUSR1 ends the delay of a start or a stop: how long that takes is then for the story to say.
 *
 * Threads: one. Signals are taken by sigtimedwait(); nothing runs in a handler. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SEC  1000000000LL
#define NS_PER_MS   1000000LL
#define STORM       200
#define NEVER       INT64_MAX
#define TELL_LENGTH 512

struct temper {
    const char *dir, *name, *print, *print_error;
    bool ready_fd, deaf, double_fork, fork_storm, hold_start, hold_stop;
    long start_delay, stop_delay; /* milliseconds */
    long exit_after;              /* milliseconds after its start; -1: never */
    long crash_at_start;          /* so many first starts end at once */
    long status, chatty, children;
};

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "fake-service: %s: %s\n", what, strerror(errno));
    exit(70);
}

static void write_whole(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, text, length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            die("write");
        text += n;
        length -= (size_t)n;
    }
}

static int open_beside(const struct temper *t, const char *suffix, int flags)
{
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof path, "%s/%s%s", t->dir, t->name, suffix);
    fd = open(path, flags | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        die(path);
    return fd;
}

/* One line, one write: lines of several processes never mix. */
static void witness(const struct temper *t, const char *word)
{
    char line[TELL_LENGTH];
    int fd = open_beside(t, ".witness", O_WRONLY | O_APPEND);
    int length = snprintf(line, sizeof line, "%s %d %lld\n", word, getpid(), (long long)now_ns());

    write_whole(fd, line, (size_t)length);
    close(fd);
}

static void shout_overlap(const struct temper *t)
{
    char path[PATH_MAX], line[TELL_LENGTH];
    int fd, length;

    snprintf(path, sizeof path, "%s/overlap", t->dir);
    length = snprintf(line, sizeof line, "%s: pid %d found another copy alive at %lld\n", t->name,
                      getpid(), (long long)now_ns());
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        die(path);
    write_whole(fd, line, (size_t)length);
    write_whole(2, line, (size_t)length);
    close(fd);
    exit(71);
}

static void take_lock(const struct temper *t)
{
    int fd = open_beside(t, ".lock", O_RDWR);

    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        shout_overlap(t);
    /* Kept open for as long as anything of this tree lives. */
}

/* Until a test lets it go on. */
static void wait_hold(const struct temper *t)
{
    int fd = open_beside(t, ".hold", O_RDWR);

    if (flock(fd, LOCK_SH) < 0)
        die("wait for the hold");
    close(fd);
}

/* Which start this is, from 1; under the lock. */
static long count_start(const struct temper *t)
{
    char text[32] = "";
    int fd = open_beside(t, ".starts", O_RDWR);
    long count;
    int length;

    if (read(fd, text, sizeof text - 1) < 0)
        die("read the number of starts");
    count = strtol(text, NULL, 10) + 1;
    length = snprintf(text, sizeof text, "%ld\n", count);
    if (pwrite(fd, text, (size_t)length, 0) < 0)
        die("write the number of starts");
    close(fd);
    return count;
}

static void ignore_stop_signals(void)
{
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
}

static void live_for_ever(void)
{
    for (;;)
        pause();
}

static pid_t fork_or_die(void)
{
    pid_t pid = fork();

    if (pid < 0)
        die("fork");
    return pid;
}

/* A grandchild in a session of its own that ignores every polite signal. */
static void leave_daemon_behind(const struct temper *t)
{
    pid_t middle = fork_or_die();

    if (middle == 0) {
        setsid();
        ignore_stop_signals();
        if (fork_or_die() > 0)
            _exit(0);
        setsid();
        witness(t, "grandchild");
        live_for_ever();
    }
    if (waitpid(middle, NULL, 0) < 0)
        die("waitpid");
}

static void have_children(long count)
{
    for (long i = 0; i < count; i++)
        if (fork_or_die() == 0) {
            sigset_t none;

            sigemptyset(&none);
            sigprocmask(SIG_SETMASK, &none, NULL);
            live_for_ever();
        }
}

/* While it is being stopped it forks a crowd that will not go: every second one leaves the session,
 * every third one has a child of its own. */
static void storm(const struct temper *t)
{
    for (int i = 0; i < STORM; i++) {
        if (fork_or_die() > 0)
            continue;
        ignore_stop_signals();
        if (i % 2 == 0)
            setsid();
        if (i % 3 == 0)
            (void)!fork();
        live_for_ever();
    }
    witness(t, "storm");
}

static void tell_ready(const struct temper *t)
{
    const char *number = getenv("ORDERLY_READY_FD");

    if (t->hold_start)
        wait_hold(t);
    witness(t, "ready");
    if (!t->ready_fd)
        return;
    if (!number) {
        fprintf(stderr, "fake-service: ORDERLY_READY_FD is not set\n");
        exit(72);
    }
    write_whole((int)strtol(number, NULL, 10), "\n", 1);
}

static void end(const struct temper *t, long status)
{
    witness(t, "stop");
    exit((int)status);
}

static void talk(const struct temper *t)
{
    if (t->print)
        printf("%s\n", t->print);
    for (long i = 1; i <= t->chatty; i++)
        printf("%s line %ld\n", t->name, i);
    fflush(stdout);
    if (t->print_error)
        fprintf(stderr, "%s\n", t->print_error);
}

/* The signal that came, or 0 at the deadline. */
static int wait_signal(const sigset_t *set, int64_t until_ns)
{
    for (;;) {
        int64_t left = until_ns == NEVER ? NS_PER_SEC * 3600 : until_ns - now_ns();
        struct timespec timeout = {left / NS_PER_SEC, left % NS_PER_SEC};
        int signal_number;

        if (left <= 0)
            return 0;
        signal_number = sigtimedwait(set, NULL, &timeout);
        if (signal_number > 0)
            return signal_number;
        if (errno != EINTR && errno != EAGAIN)
            die("sigtimedwait");
    }
}

static int64_t after_ms(int64_t from_ns, long ms)
{
    return ms < 0 ? NEVER : from_ns + ms * NS_PER_MS;
}

/* Asked to stop: false when it does not listen. */
static bool obey(const struct temper *t, const sigset_t *signals)
{
    witness(t, t->deaf ? "deaf" : "term");
    if (t->deaf)
        return false;
    if (t->fork_storm)
        storm(t);
    if (t->hold_stop)
        wait_hold(t);
    wait_signal(signals, after_ms(now_ns(), t->stop_delay));
    return true;
}

static void live(const struct temper *t, const sigset_t *signals)
{
    int64_t began = now_ns(), ready_at = after_ms(began, t->start_delay);
    int64_t exit_at = after_ms(began, t->exit_after);
    bool ready = false;

    for (;;) {
        int64_t until = ready || exit_at < ready_at ? exit_at : ready_at;
        int number = wait_signal(signals, until);

        if (number == SIGTERM || number == SIGINT) {
            if (obey(t, signals))
                end(t, 0);
        } else if (number != 0) {
            witness(t, number == SIGHUP ? "hup" : "signal");
            if (number == SIGUSR1)
                ready_at = began;
        } else if (until == exit_at) {
            end(t, t->status);
        } else {
            ready = true;
            tell_ready(t);
        }
    }
}

enum option_number {
    OPT_DIR = 1000,
    OPT_NAME,
    OPT_PRINT,
    OPT_PRINT_ERROR,
    OPT_READY_FD,
    OPT_DEAF,
    OPT_DOUBLE_FORK,
    OPT_FORK_STORM,
    OPT_HOLD_START,
    OPT_HOLD_STOP,
    OPT_START_DELAY,
    OPT_STOP_DELAY,
    OPT_EXIT_AFTER,
    OPT_CRASH_AT_START,
    OPT_STATUS,
    OPT_CHATTY,
    OPT_CHILDREN,
};

static const struct option options[] = {
    {"dir", required_argument, NULL, OPT_DIR},
    {"name", required_argument, NULL, OPT_NAME},
    {"print", required_argument, NULL, OPT_PRINT},
    {"print-error", required_argument, NULL, OPT_PRINT_ERROR},
    {"ready-fd", no_argument, NULL, OPT_READY_FD},
    {"deaf", no_argument, NULL, OPT_DEAF},
    {"double-fork", no_argument, NULL, OPT_DOUBLE_FORK},
    {"fork-storm", no_argument, NULL, OPT_FORK_STORM},
    {"hold-start", no_argument, NULL, OPT_HOLD_START},
    {"hold-stop", no_argument, NULL, OPT_HOLD_STOP},
    {"start-delay", required_argument, NULL, OPT_START_DELAY},
    {"stop-delay", required_argument, NULL, OPT_STOP_DELAY},
    {"exit-after", required_argument, NULL, OPT_EXIT_AFTER},
    {"crash-at-start", required_argument, NULL, OPT_CRASH_AT_START},
    {"status", required_argument, NULL, OPT_STATUS},
    {"chatty", required_argument, NULL, OPT_CHATTY},
    {"children", required_argument, NULL, OPT_CHILDREN},
    {0},
};

static long number_of(const char *text)
{
    char *end_of_number;
    long value = strtol(text, &end_of_number, 10);

    if (*end_of_number || end_of_number == text || value < 0) {
        fprintf(stderr, "fake-service: \"%s\" is not a number\n", text);
        exit(64);
    }
    return value;
}

static void parse_option(struct temper *t, int option)
{
    switch (option) {
    case OPT_DIR: t->dir = optarg; break;
    case OPT_NAME: t->name = optarg; break;
    case OPT_PRINT: t->print = optarg; break;
    case OPT_PRINT_ERROR: t->print_error = optarg; break;
    case OPT_READY_FD: t->ready_fd = true; break;
    case OPT_DEAF: t->deaf = true; break;
    case OPT_DOUBLE_FORK: t->double_fork = true; break;
    case OPT_FORK_STORM: t->fork_storm = true; break;
    case OPT_HOLD_START: t->hold_start = true; break;
    case OPT_HOLD_STOP: t->hold_stop = true; break;
    case OPT_START_DELAY: t->start_delay = number_of(optarg); break;
    case OPT_STOP_DELAY: t->stop_delay = number_of(optarg); break;
    case OPT_EXIT_AFTER: t->exit_after = number_of(optarg); break;
    case OPT_CRASH_AT_START: t->crash_at_start = number_of(optarg); break;
    case OPT_STATUS: t->status = number_of(optarg); break;
    case OPT_CHATTY: t->chatty = number_of(optarg); break;
    case OPT_CHILDREN: t->children = number_of(optarg); break;
    default: exit(64);
    }
}

static void block_signals(sigset_t *ret_signals)
{
    sigemptyset(ret_signals);
    sigaddset(ret_signals, SIGTERM);
    sigaddset(ret_signals, SIGINT);
    sigaddset(ret_signals, SIGHUP);
    sigaddset(ret_signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, ret_signals, NULL);
}

int main(int argc, char **argv)
{
    struct temper t = {.exit_after = -1};
    sigset_t signals;
    long start;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        parse_option(&t, option);
    if (!t.dir || !t.name || optind != argc) {
        fprintf(stderr, "usage: fake-service --dir DIR --name NAME [OPTION...]\n");
        return 64;
    }
    block_signals(&signals);
    take_lock(&t);
    start = count_start(&t);
    witness(&t, "start");
    talk(&t);
    if (start <= t.crash_at_start)
        end(&t, t.status ? t.status : 1);
    if (t.double_fork)
        leave_daemon_behind(&t);
    have_children(t.children);
    live(&t, &signals);
}

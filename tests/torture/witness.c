/* torture-witness - a service of known temper, for the torture: it writes down all that becomes of
 * it, and knows nothing of what the daemon believes.
 *
 * A life begins when DIR/NAME.lock could be taken; lives are numbered in DIR/NAME.lives. Everything
 * that it forks keeps the lock, so that a new life finds out when anything of an old one is left.
 * Into DIR/NAME.witness go lines of a single write each, all of one length:
 *
 *     WORD LIFE PID MONOTONIC_NS UTC_US DETAIL
 *
 *     overlap  another copy lived (LIFE: the one before)     begin    ready    term     end
 *     signal   a real-time signal came (DETAIL: its number)  beat     something of the tree lives
 *     crash    it ends by itself (DETAIL: how)               reload   said by --say
 *
 * Asked for are numbered signals that the kernel queues one by one, so that none is merged.
 *
 * Threads: one. Signals are taken by sigtimedwait(); nothing runs in a handler. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SEC   1000000000LL
#define NS_PER_MS    1000000LL
#define NEVER        INT64_MAX
#define LINE_LENGTH  128 /* divides a page */
#define FIRST_QUEUED 40  /* of the signals that are counted: real-time ones, by number */
#define LAST_QUEUED  47

struct temper {
    const char *dir, *name, *say;
    bool deaf, daemonises, never_ready;
    long start_delay, stop_delay; /* milliseconds */
    long crash_within;            /* milliseconds after it is ready; 0: it does not */
    long beat;                    /* milliseconds; 0: the main process doesn't */
    long chatty, children, status, seed;
};

struct life {
    const struct temper *temper;
    int witness;
    long number;
};

static int64_t now_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "torture-witness: %s: %s\n", what, strerror(errno));
    exit(70);
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

/* One line, one write: lines of several processes never mix. The times are taken before. A SIGKILL
 * cuts a write short at the end of a page, so no line lies across one. */
static void tell(const struct life *life, const char *word, long detail)
{
    char line[LINE_LENGTH];
    int length = snprintf(line, sizeof line, "%s %ld %d %lld %lld %ld", word, life->number,
                          getpid(), (long long)now_ns(CLOCK_MONOTONIC),
                          (long long)now_ns(CLOCK_REALTIME) / 1000, detail);

    memset(line + length, ' ', sizeof line - (size_t)length);
    line[LINE_LENGTH - 1] = '\n';
    if (write(life->witness, line, sizeof line) != LINE_LENGTH)
        die("write the witness");
}

static long read_lives(int fd)
{
    char text[32] = "";

    if (pread(fd, text, sizeof text - 1, 0) < 0)
        die("read the number of lives");
    return strtol(text, NULL, 10);
}

/* Takes the lock, which is kept open for as long as anything of this tree lives, and a number. */
static void begin(struct life *life)
{
    int lock = open_beside(life->temper, ".lock", O_RDWR);
    int lives = open_beside(life->temper, ".lives", O_RDWR);
    char text[32];
    int length;

    life->number = read_lives(lives);
    if (flock(lock, LOCK_EX | LOCK_NB) < 0) {
        tell(life, "overlap", 0);
        exit(71);
    }
    life->number = read_lives(lives) + 1;
    length = snprintf(text, sizeof text, "%ld\n", life->number);
    if (pwrite(lives, text, (size_t)length, 0) != length)
        die("write the number of lives");
    close(lives);
    tell(life, "begin", 0);
}

static int64_t after_ms(long ms)
{
    return now_ns(CLOCK_MONOTONIC) + ms * NS_PER_MS;
}

/* The signal that came, or 0 at the deadline. */
static int wait_signal(const sigset_t *set, int64_t until_ns)
{
    for (;;) {
        int64_t left = until_ns == NEVER ? NS_PER_SEC * 3600 : until_ns - now_ns(CLOCK_MONOTONIC);
        struct timespec timeout = {0};
        int number;

        if (left > 0)
            timeout = (struct timespec){left / NS_PER_SEC, left % NS_PER_SEC};
        number = sigtimedwait(set, NULL, &timeout);
        if (number > 0)
            return number;
        if (errno != EINTR && errno != EAGAIN)
            die("sigtimedwait");
        if (left <= 0)
            return 0;
    }
}

static bool is_counted(int number)
{
    return number >= FIRST_QUEUED && number <= LAST_QUEUED;
}

/* What was sent before the end is told before it. */
static void drain(const struct life *life, const sigset_t *signals)
{
    int number;

    while ((number = wait_signal(signals, 0)) > 0)
        if (is_counted(number))
            tell(life, "signal", number);
}

/* ---- those beside the main process ---- */

static _Noreturn void beat_for_ever(const struct life *life, bool deaf)
{
    sigset_t none;

    if (deaf) {
        signal(SIGTERM, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (;;) {
        struct timespec pause_for = {0, 20 * NS_PER_MS};

        tell(life, "beat", 0);
        nanosleep(&pause_for, NULL);
    }
}

static pid_t fork_or_die(void)
{
    pid_t pid = fork();

    if (pid < 0)
        die("fork");
    return pid;
}

/* A grandchild in a session of its own that ignores every polite signal. */
static void leave_daemon_behind(const struct life *life)
{
    pid_t middle = fork_or_die();

    if (middle == 0) {
        setsid();
        if (fork_or_die() > 0)
            _exit(0);
        setsid();
        beat_for_ever(life, true);
    }
    if (waitpid(middle, NULL, 0) < 0)
        die("waitpid");
}

static void have_children(const struct life *life)
{
    for (long i = 0; i < life->temper->children; i++)
        if (fork_or_die() == 0)
            beat_for_ever(life, false);
}

static void talk(const struct life *life)
{
    for (long i = 1; i <= life->temper->chatty; i++)
        printf("%s line %ld of life %ld\n", life->temper->name, i, life->number);
    fflush(stdout);
}

/* ---- the life of the main process ---- */

static void tell_ready(const struct life *life)
{
    const char *number = getenv("ORDERLY_READY_FD");

    tell(life, "ready", 0);
    if (!number) {
        fprintf(stderr, "torture-witness: ORDERLY_READY_FD is not set\n");
        exit(72);
    }
    if (write((int)strtol(number, NULL, 10), "\n", 1) != 1)
        die("tell that it is ready");
}

static _Noreturn void crash(const struct life *life, const sigset_t *signals)
{
    int how = (int)(life->number % 3);

    drain(life, signals);
    tell(life, "crash", how);
    if (how == 1)
        kill(getpid(), SIGKILL);
    exit(how == 2 ? 0 : 7);
}

/* Asked to stop; returns when it does not listen. */
static void obey(const struct life *life, const sigset_t *signals)
{
    int64_t until = after_ms(life->temper->stop_delay);
    int number;

    tell(life, "term", 0);
    if (life->temper->deaf)
        return;
    while ((number = wait_signal(signals, until)) > 0)
        if (is_counted(number))
            tell(life, "signal", number);
    drain(life, signals);
    tell(life, "end", 0);
    exit(0);
}

/* Some time within the limit that only the seed and the number of the life decide. */
static int64_t time_of_crash(const struct life *life)
{
    uint64_t mixed = ((uint64_t)life->temper->seed << 32 ^ (uint64_t)life->number) + 1;

    mixed *= 0x9e3779b97f4a7c15u;
    mixed ^= mixed >> 29;
    mixed *= 0xbf58476d1ce4e5b9u;
    mixed ^= mixed >> 32;
    return after_ms((long)(mixed % (uint64_t)life->temper->crash_within));
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static _Noreturn void live(const struct life *life, const sigset_t *signals)
{
    const struct temper *t = life->temper;
    int64_t ready_at = t->never_ready ? NEVER : after_ms(t->start_delay), crash_at = NEVER;
    int64_t beat_at = t->beat ? after_ms(t->beat) : NEVER;

    for (;;) {
        int64_t until = sooner(sooner(ready_at, crash_at), beat_at);
        int number = wait_signal(signals, until);

        if (number == SIGTERM) {
            obey(life, signals);
        } else if (number != 0) {
            tell(life, "signal", number);
        } else if (until == ready_at) {
            ready_at = NEVER;
            tell_ready(life);
            if (t->crash_within)
                crash_at = time_of_crash(life);
        } else if (until == crash_at) {
            crash(life, signals);
        } else {
            tell(life, "beat", 0);
            talk(life);
            beat_at = after_ms(t->beat);
        }
    }
}

/* ---- arguments ---- */

enum kind { TEXT, SWITCH, NUMBER };

static const struct argument {
    const char *name;
    enum kind kind;
    size_t at; /* in struct temper */
} arguments[] = {
    {"--dir", TEXT, offsetof(struct temper, dir)},
    {"--name", TEXT, offsetof(struct temper, name)},
    {"--say", TEXT, offsetof(struct temper, say)},
    {"--deaf", SWITCH, offsetof(struct temper, deaf)},
    {"--daemonises", SWITCH, offsetof(struct temper, daemonises)},
    {"--never-ready", SWITCH, offsetof(struct temper, never_ready)},
    {"--start-delay", NUMBER, offsetof(struct temper, start_delay)},
    {"--stop-delay", NUMBER, offsetof(struct temper, stop_delay)},
    {"--crash-within", NUMBER, offsetof(struct temper, crash_within)},
    {"--beat", NUMBER, offsetof(struct temper, beat)},
    {"--chatty", NUMBER, offsetof(struct temper, chatty)},
    {"--children", NUMBER, offsetof(struct temper, children)},
    {"--status", NUMBER, offsetof(struct temper, status)},
    {"--seed", NUMBER, offsetof(struct temper, seed)},
};

static _Noreturn void refuse(const char *what)
{
    fprintf(stderr, "torture-witness: %s?\nusage: torture-witness --dir DIR --name NAME ...\n",
            what);
    exit(64);
}

static long number_of(const char *text)
{
    char *end_of_number;
    long value = strtol(text, &end_of_number, 10);

    if (*end_of_number || end_of_number == text || value < 0)
        refuse(text);
    return value;
}

static const struct argument *find_argument(const char *name)
{
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++)
        if (strcmp(arguments[i].name, name) == 0)
            return &arguments[i];
    refuse(name);
}

static void parse(struct temper *t, char **argv)
{
    while (*argv) {
        const struct argument *argument = find_argument(*argv++);
        char *to = (char *)t + argument->at;

        if (argument->kind == SWITCH)
            *(bool *)to = true;
        else if (!*argv)
            refuse(argument->name);
        else if (argument->kind == TEXT)
            *(const char **)to = *argv++;
        else
            *(long *)to = number_of(*argv++);
    }
    if (!t->dir || !t->name)
        refuse("--dir, --name");
}

static void block_signals(sigset_t *ret_signals)
{
    sigemptyset(ret_signals);
    sigaddset(ret_signals, SIGTERM);
    for (int number = FIRST_QUEUED; number <= LAST_QUEUED; number++)
        sigaddset(ret_signals, number);
    sigprocmask(SIG_BLOCK, ret_signals, NULL);
}

/* As a command beside the service: says its word, and is done. */
static int say(struct life *life)
{
    int lives = open_beside(life->temper, ".lives", O_RDWR);

    life->number = read_lives(lives);
    tell(life, life->temper->say, life->temper->status);
    return (int)life->temper->status;
}

int main(int argc, char **argv)
{
    struct temper t = {0};
    struct life life = {.temper = &t};
    sigset_t signals;

    (void)argc;
    parse(&t, argv + 1);
    life.witness = open_beside(&t, ".witness", O_WRONLY | O_APPEND);
    if (t.say)
        return say(&life);
    block_signals(&signals);
    begin(&life);
    talk(&life);
    if (t.daemonises)
        leave_daemon_behind(&life);
    have_children(&life);
    live(&life, &signals);
}

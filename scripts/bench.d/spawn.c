#include "spawn.h"

#include "base/sys.h"
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES_FD  3
#define PATH_SIZE 512
#define ARGUMENTS 8

extern char **environ;

static atomic_int last_group;

static void group_path(char path[static PATH_SIZE], int group)
{
    if (snprintf(path, PATH_SIZE, "%s/%d.%d", getenv("BENCH_GROUPS"), (int)getpid(), group) >=
        PATH_SIZE)
        die("BENCH_GROUPS is too long");
}

static int group_make(struct spawned *process)
{
    char path[PATH_SIZE];
    int fd;

    process->group = atomic_fetch_add(&last_group, 1) + 1;
    group_path(path, process->group);
    if (mkdir(path, 0755) < 0)
        die("make %s: %m", path);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        die("open %s: %m", path);
    return fd;
}

struct errand {
    char **argv;
    int lines;
};

/* In the parent's memory, on a stack of its own, and with its descriptors until they are unshared.
 */
static int run_errand(void *argument)
{
    const struct errand *errand = argument;
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (sys_close_range(~0u, ~0u, CLOSE_RANGE_UNSHARE) == 0 &&
        (errand->lines < 0 || dup2(errand->lines, LINES_FD) == LINES_FD))
        execve(errand->argv[0], errand->argv, environ);
    _exit(127);
}

static void into_group(struct spawned *process, char **argv, int lines, int group)
{
    static _Thread_local char stack[SYS_STACK_SIZE] __attribute__((aligned(16)));
    struct errand errand = {.argv = argv, .lines = lines};

    process->child.pid = sys_clone_exec(run_errand, &errand, stack, group, &process->child.pidfd);
    close(group);
    if (process->child.pid < 0) {
        errno = -process->child.pid;
        die("spawn %s: %m", argv[0]);
    }
}

/* The executor and what it is to execute. */
static void dress(char **dressed, char *executor, char **argv)
{
    int count = 0;

    dressed[count++] = executor;
    for (; *argv; argv++) {
        if (count == ARGUMENTS - 1)
            die("more than %d arguments", ARGUMENTS - 2);
        dressed[count++] = *argv;
    }
    dressed[count] = NULL;
}

void spawn_process(struct spawned *process, char **argv, int lines)
{
    char *dressed[ARGUMENTS], *executor = getenv("BENCH_EXECUTOR");

    *process = (struct spawned){0};
    if (executor) {
        dress(dressed, executor, argv);
        argv = dressed;
    }
    if (getenv("BENCH_GROUPS"))
        into_group(process, argv, lines, group_make(process));
    else
        child_start(&process->child, argv, lines, LINES_FD, false);
}

void spawn_reap(struct spawned *process)
{
    char path[PATH_SIZE];

    child_reap(&process->child);
    if (process->group == 0)
        return;
    group_path(path, process->group);
    if (rmdir(path) < 0)
        die("remove %s: %m", path);
}

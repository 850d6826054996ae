#include "spawn.h"

#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINES_FD   3
#define PATH_SIZE  512
#define ARGUMENTS  8
#define STACK_SIZE 16384

extern char **environ;

static atomic_int last_group;

static void plainly(struct spawned *process, char **argv, int lines)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;

    sigemptyset(&none);
    if (posix_spawn_file_actions_init(&actions) || posix_spawnattr_init(&attributes) ||
        posix_spawnattr_setsigmask(&attributes, &none) ||
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK) ||
        (lines >= 0 && posix_spawn_file_actions_adddup2(&actions, lines, LINES_FD)))
        die("out of memory");
    errno = posix_spawn(&process->pid, argv[0], &actions, &attributes, argv, environ);
    if (errno)
        die("spawn %s: %m", argv[0]);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    process->pidfd = pidfd_open(process->pid, 0);
    if (process->pidfd < 0)
        die("pidfd_open: %m");
}

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

struct child {
    char **argv;
    int lines;
};

/* On its own stack, in the parent's memory. */
static int child_main(void *argument)
{
    const struct child *child = argument;
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (child->lines < 0 || dup2(child->lines, LINES_FD) == LINES_FD)
        execve(child->argv[0], child->argv, environ);
    _exit(127);
}

#ifdef __x86_64__

/* What vfork() is, but by clone3(): it alone puts the child into the group at its birth. */
static void into_group(struct spawned *process, char **argv, int lines, int group)
{
    struct child child = {.argv = argv, .lines = lines};
    char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    struct clone_args args = {
        .flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_INTO_CGROUP,
        .pidfd = (uint64_t)(uintptr_t)&process->pidfd,
        .exit_signal = SIGCHLD,
        .stack = (uint64_t)(uintptr_t)stack,
        .stack_size = STACK_SIZE,
        .cgroup = (uint64_t)group,
    };
    register long result __asm__("rax") = SYS_clone3;
    register void *a0 __asm__("rdi") = &args;
    register size_t a1 __asm__("rsi") = sizeof args;
    register int (*entry)(void *) __asm__("r12") = child_main;
    register void *with __asm__("r13") = &child;

    if (stack == MAP_FAILED)
        die("out of memory");
    __asm__ volatile("syscall\n\t"
                     "testq %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "movq %%r13, %%rdi\n\t"
                     "callq *%%r12\n\t"
                     "hlt\n"
                     "1:"
                     : "+r"(result)
                     : "r"(a0), "r"(a1), "r"(entry), "r"(with)
                     : "rcx", "r11", "memory", "cc");
    munmap(stack, STACK_SIZE);
    close(group);
    if (result < 0) {
        errno = (int)-result;
        die("spawn %s: %m", argv[0]);
    }
    process->pid = (pid_t)result;
}

#else

static void into_group(struct spawned *process, char **argv, int lines, int group)
{
    (void)process, (void)argv, (void)lines, (void)group, (void)child_main;
    die("BENCH_GROUPS: not on this processor");
}

#endif

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

    *process = (struct spawned){.pidfd = -1};
    if (executor) {
        dress(dressed, executor, argv);
        argv = dressed;
    }
    if (getenv("BENCH_GROUPS"))
        into_group(process, argv, lines, group_make(process));
    else
        plainly(process, argv, lines);
}

void spawn_reap(struct spawned *process)
{
    char path[PATH_SIZE];
    siginfo_t info;

    if (waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED) < 0)
        die("waitid: %m");
    close(process->pidfd);
    if (process->group == 0)
        return;
    group_path(path, process->group);
    if (rmdir(path) < 0)
        die("remove %s: %m", path);
}

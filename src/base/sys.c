#include "base/sys.h"

#include "base/cleanup.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

/* From linux/pidfd.h of 6.15, which Debian 12's headers do not have yet. */
struct pidfd_exit_info {
    uint64_t mask, cgroupid;
    uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    int32_t exit_code;
    uint32_t coredump_mask, unused;
};
#define PIDFD_INFO_EXIT_MASK (UINT64_C(1) << 3)
#define PIDFD_INFO_REQUEST   _IOWR(0xFF, 11, struct pidfd_exit_info)

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define THREAD_SANITIZER 1
#endif

int sys_pidfd_open(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);

    return fd < 0 ? -errno : fd;
}

int sys_pidfd_send_signal(int pidfd, int signal)
{
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int sys_pidfd_exit_status(int pidfd, int *ret_wait_status)
{
    struct pidfd_exit_info info = {.mask = PIDFD_INFO_EXIT_MASK};

    if (ioctl(pidfd, PIDFD_INFO_REQUEST, &info) < 0)
        return -errno;
    if (!(info.mask & PIDFD_INFO_EXIT_MASK))
        return -ENODATA;
    *ret_wait_status = info.exit_code;
    return 0;
}

int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
    return syscall(SYS_close_range, first, last, flags) < 0 ? -errno : 0;
}

#if !defined THREAD_SANITIZER && (defined __x86_64__ || defined __aarch64__)

/* The child comes back from the call on another stack, where this function's frame does not
 * exist: so the jump into child() must be made before any compiled code runs there. */
static long clone3_onto(struct clone_args *args, int (*child)(void *), void *argument)
{
#if defined __x86_64__
    register long result __asm__("rax") = SYS_clone3;
    register void *a0 __asm__("rdi") = args;
    register size_t a1 __asm__("rsi") = sizeof *args;
    register int (*entry)(void *) __asm__("r12") = child;
    register void *with __asm__("r13") = argument;

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
    return result;
#else
    register long number __asm__("x8") = SYS_clone3;
    register long result __asm__("x0") = (long)args;
    register size_t a1 __asm__("x1") = sizeof *args;
    register int (*entry)(void *) __asm__("x19") = child;
    register void *with __asm__("x20") = argument;

    __asm__ volatile("svc #0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x29, xzr\n\t"
                     "mov x0, x20\n\t"
                     "blr x19\n\t"
                     "brk #0\n"
                     "1:"
                     : "+r"(result)
                     : "r"(number), "r"(a1), "r"(entry), "r"(with)
                     : "memory", "cc");
    return result;
#endif
}

pid_t sys_clone_exec(int (*child)(void *), void *argument, void *stack, int cgroup_fd,
                     int *ret_pidfd)
{
    int pidfd = -1;
    struct clone_args args = {
        .flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_FILES,
        .pidfd = (uint64_t)(uintptr_t)&pidfd,
        .exit_signal = SIGCHLD,
        .stack = (uint64_t)(uintptr_t)stack,
        .stack_size = SYS_STACK_SIZE,
    };
    sigset_t all, old;
    long pid;

    if (cgroup_fd >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)cgroup_fd;
    }
    sigfillset(&all); /* a handler that ran in the child would write the parent's memory */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pid = clone3_onto(&args, child, argument);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (pid > 0)
        *ret_pidfd = pidfd;
    return (pid_t)pid;
}

#else

pid_t sys_clone_exec(int (*child)(void *), void *argument, void *stack, int cgroup_fd,
                     int *ret_pidfd)
{
    (void)child, (void)argument, (void)stack, (void)cgroup_fd, (void)ret_pidfd;
    return -ENOSYS;
}

#endif

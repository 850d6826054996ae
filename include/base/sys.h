/* sys - the only seam to system calls that glibc 2.36 does not wrap.
 * Threads: any. Each returns what the call returns, or -errno. */
#pragma once

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

int sys_pidfd_open(pid_t pid);
int sys_pidfd_send_signal(int pidfd, int signal);

/* How the process behind a pidfd ended, for processes that are not our children: 0 and a wait
 * status once it has been reaped; -ENODATA before that; -ENOTTY, -EINVAL or such on kernels
 * before 6.15. */
int sys_pidfd_exit_status(int pidfd, int *ret_wait_status);

/* clone3(VM|VFORK|PIDFD|FILES [|INTO_CGROUP]) onto a stack of its own, SYS_STACK_SIZE bytes that
 * nobody else uses until this returns: runs child(argument), which must exec or _exit and may only
 * make async-signal-safe calls; the calling thread stands still until it has. The child shares the
 * descriptor table until it calls close_range(UNSHARE). cgroup_fd -1: stay in ours. Gives the pid
 * and a pidfd (CLOEXEC). -ENOSYS under ThreadSanitizer, which cannot follow it, and where the call
 * is not to be had. */
#define SYS_STACK_SIZE (32 * 1024)
pid_t sys_clone_exec(int (*child)(void *), void *argument, void *stack, int cgroup_fd,
                     int *ret_pidfd);

int sys_close_range(unsigned first, unsigned last, unsigned flags);

#include "upgrade.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define VARIABLE       "ORDERLYD_INHERITED"
#define ANSWERS_WITHIN 5000 /* ms */

char *upgrade_program(void)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n < 0)
        return NULL;
    self[n] = '\0';
    return strdup(self);
}

static int spawn_version(const char *program, pid_t *ret_pid)
{
    char *const argv[] = {(char *)program, "--version", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int result;

    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    result = posix_spawn(ret_pid, program, &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -result;
}

int upgrade_check(const char *program, struct error *err)
{
    CLEANUP(closep) int fd = -1;
    struct pollfd ended = {.events = POLLIN};
    siginfo_t info = {0};
    pid_t pid;
    int result = FAULT(upgrade_check) ?: spawn_version(program, &pid);

    if (result < 0)
        return error_set(err, result, "execute %s: %s", program, strerror(-result));
    ended.fd = fd = sys_pidfd_open(pid);
    if (fd < 0 || poll(&ended, 1, ANSWERS_WITHIN) <= 0)
        kill(pid, SIGKILL);
    waitid(P_PID, (id_t)pid, &info, WEXITED);
    if (info.si_code == CLD_EXITED && info.si_status == 0)
        return 0;
    return error_set(err, -ENOEXEC, "%s --version did not end well: %s %d", program,
                     info.si_code == CLD_EXITED ? "status" : "signal", info.si_status);
}

void upgrade_inherit(struct handover *handover)
{
    handover_parse(handover, getenv(VARIABLE));
    unsetenv(VARIABLE); /* no service is to see it */
}

int upgrade_exec(const char *program, char **argv, const struct handover *handover,
                 struct error *err)
{
    char text[HANDOVER_TEXT];

    handover_format(handover, text);
    if (setenv(VARIABLE, text, 1) < 0)
        return error_set(err, -errno, "become %s: %m", program);
    if (!FAULTS(upgrade_exec))
        execve(program, argv, environ);
    error_set(err, -errno, "become %s: %m", program);
    unsetenv(VARIABLE);
    return err->code;
}

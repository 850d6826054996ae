/* keeper - a process that does nothing but be there: a scope of systemd's lives as long as one of
 * its processes does, and services come and go. It is nobody's child but PID 1's, so that it
 * outlives the daemon; a signal ends it. */
#include "executor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Without it a service that eats all memory might take the others' group with it. */
static void ask_to_be_spared(void)
{
    static const char least[] = "-1000";
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)!write(fd, least, strlen(least));
    close(fd);
}

static _Noreturn void be_there(int gate)
{
    setsid();
    if (!setup_null_stdio() || chdir("/") < 0)
        _exit(1);
    close_all_but(gate);
    prctl(PR_SET_NAME, "orderly-keeper");
    ask_to_be_spared();
    if (!wait_at_gate(gate))
        _exit(0);
    close(gate);
    for (;;)
        pause();
}

int keeper(int gate)
{
    pid_t pid = fork();

    if (pid < 0) {
        report_failure(gate, &(struct failure){.step = STEP_FORK, .error = errno});
        return 1;
    }
    if (pid == 0)
        be_there(gate);
    report(gate, &(struct exec_report){.kind = REPORT_EXECUTING, .value = pid});
    return 0;
}

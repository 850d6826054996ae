/* stay - where no cgroup can be made, the executor stays above the service: whatever is orphaned
 * below becomes its child, so that it knows when the last process has gone. */
#include "executor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void give_up(int gate, enum exec_step step)
{
    struct failure f = {.step = step, .error = errno};

    report_failure(gate, &f);
    report(gate, &(struct exec_report){.kind = REPORT_EMPTY});
    _exit(failure_status(&f));
}

/* What is meant for the service must not end the one who watches over it. */
static void ignore_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};

    for (int signal = 1; signal < NSIG; signal++)
        if (signal != SIGCHLD) /* ignored, it would throw the statuses away */
            sigaction(signal, &action, NULL);
}

static void tell_name(pid_t main_pid)
{
    char name[16];

    snprintf(name, sizeof name, "main %d", (int)main_pid);
    prctl(PR_SET_NAME, name);
}

/* End of file after "executing" is the success of execve. */
static void relay_start(int from, int gate, pid_t main_pid)
{
    struct exec_report message, executing = {0};
    ssize_t n;

    while ((n = recv(from, &message, sizeof message, 0)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n != sizeof message)
            break;
        if (message.kind == REPORT_FAILED) {
            report(gate, &message);
            return;
        }
        executing = message;
    }
    if (executing.kind == REPORT_EXECUTING) {
        executing.value = main_pid; /* as it is called here, whatever namespace it thinks of */
        report(gate, &executing);
    }
}

/* Waits for every process below; the main one's status. */
static int reap_all(int gate, pid_t main_pid)
{
    int main_status = 0, status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, 0)) > 0 || errno == EINTR) {
        if (pid != main_pid)
            continue;
        main_status = status;
        report(gate, &(struct exec_report){.kind = REPORT_EXITED, .value = status});
    }
    report(gate, &(struct exec_report){.kind = REPORT_EMPTY});
    return main_status;
}

/* So that whoever waits for this process sees what became of the service. */
static _Noreturn void end_as(int status)
{
    struct rlimit no_core = {0};
    struct sigaction action = {.sa_handler = SIG_DFL};

    if (!WIFSIGNALED(status))
        _exit(WEXITSTATUS(status));
    setrlimit(RLIMIT_CORE, &no_core);
    prctl(PR_SET_DUMPABLE, 0);
    sigaction(WTERMSIG(status), &action, NULL);
    kill(getpid(), WTERMSIG(status));
    _exit(128 + WTERMSIG(status));
}

static _Noreturn void begin_service(struct settings *settings, int socket, int gate)
{
    close(gate); /* it must end with the executor alone */
    if (setsid() < 0) {
        struct failure f = {.step = STEP_SESSION, .error = errno};

        report_failure(socket, &f);
        _exit(failure_status(&f));
    }
    setup_signals();
    become_service(settings, socket);
}

void stay(struct settings *settings, int gate)
{
    int pair[2];
    pid_t pid;

    if (!setup_null_stdio())
        give_up(gate, STEP_STDIO);
    if (chdir("/") < 0)
        give_up(gate, STEP_DIRECTORY);
    ignore_signals();
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        give_up(gate, STEP_FORK);
    pair[0] = move_high(pair[0]);
    pair[1] = move_high(pair[1]);
    if (pair[0] < 0 || pair[1] < 0)
        give_up(gate, STEP_FORK);
    pid = fork();
    if (pid < 0)
        give_up(gate, STEP_FORK);
    if (pid == 0) {
        close(pair[0]);
        begin_service(settings, pair[1], gate);
    }
    tell_name(pid);
    close(pair[1]);
    relay_start(pair[0], gate, pid);
    close(pair[0]);
    end_as(reap_all(gate, pid));
}

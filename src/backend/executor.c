#include "executor.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/sys.h"
#include "environment.h"
#include "exec_order.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void list_deinit(struct string_list *list)
{
    string_list_clear(list);
}

static int write_order(const struct process_instance *p, const struct program *program, int *ret_fd,
                       struct error *err)
{
    const struct process_backend *b = p->backend;
    CLEANUP(list_deinit) struct string_list environment = {0};
    struct exec_order order = {
        .spec = program->launch->spec,
        .argv = program->argv,
        .output = program->launch->fifo,
        .error_output = program->launch->error_fifo,
        .ready = program->ready,
        .cgroup = program->join,
        .stay = program->stay,
        .environment = &environment,
        .nofile = b->nofile,
    };
    int r = environment_build(&b->environment, order.spec, p->marker, program->added, &environment,
                              &order.own_count);

    if (r < 0)
        return error_set(err, r, "make the environment: %m");
    return exec_order_write(&order, ret_fd, err);
}

int executor_spawn(struct process_instance *p, const struct program *program,
                   struct executor *ret_executor, struct error *err)
{
    CLEANUP(closep) int order = -1;
    CLEANUP(closep) int ours = -1;
    CLEANUP(closep) int gate = -1;
    struct spawn spawn = {
        .executor = p->backend->executor, .marker = p->marker, .cgroup = program->group};
    int pair[2], r = write_order(p, program, &order, err);

    if (r < 0)
        return r;
    if (FAULTS(exec_socket) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set(err, -errno, "make a socket pair: %m");
    ours = pair[0];
    spawn.gate = gate = pair[1];
    spawn.settings = order;
    r = spawner_spawn(&p->backend->spawner, &spawn, &ret_executor->pid, &ret_executor->pidfd, err);
    if (r < 0)
        return r;
    ret_executor->socket = take_fd(&ours);
    return 0;
}

void executor_kill(int pidfd)
{
    struct pollfd wait = {.fd = pidfd, .events = POLLIN};
    siginfo_t info;

    sys_pidfd_send_signal(pidfd, SIGKILL);
    while (poll(&wait, 1, -1) < 0 && errno == EINTR)
        ;
    waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
}

int executor_open_gate(int socket)
{
    static const char word = GATE_OPEN;

    if (socket < 0)
        return 0;
    if (!FAULTS(gate_open) && send(socket, &word, sizeof word, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
        return 0;
    return errno == EPIPE || errno == ECONNRESET ? 0 : -errno;
}

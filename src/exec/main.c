/* orderly-exec - started by orderlyd for each start of a service: becomes what the settings say,
 * once the gate opens.
 *
 * Only what cannot hang is done before the gate. If the daemon dies first the gate closes, and
 * this process ends without having run anything. */
#include "executor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOWEST_HIGH 10

int move_high(int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, LOWEST_HIGH);

    if (high >= 0)
        close(fd);
    return high;
}

/* Descriptors as arguments: a number and nothing else; -1. */
static int parse_fd(const char *word)
{
    char *end;
    long value;

    errno = 0;
    value = strtol(word, &end, 10);
    return errno || end == word || *end || value < 0 || value > INT_MAX ? -1 : (int)value;
}

/* Nothing that the daemon has open may reach a service. */
void close_all_but(int fd)
{
    syscall(SYS_close_range, 3u, (unsigned)fd - 1, 0u);
    syscall(SYS_close_range, (unsigned)fd + 1, ~0u, 0u);
}

bool wait_at_gate(int gate)
{
    char word = 0;
    ssize_t n;

    do
        n = recv(gate, &word, 1, 0);
    while (n < 0 && errno == EINTR);
    return n == 1 && word == GATE_OPEN;
}

static bool settle(struct settings *settings, int settings_fd, struct failure *f)
{
    int r = settings_map(settings_fd, settings);

    if (r < 0) {
        *f = (struct failure){.step = STEP_SETTINGS, .error = -r};
        return false;
    }
    if (setsid() < 0) {
        *f = (struct failure){.step = STEP_SESSION, .error = errno};
        return false;
    }
    return setup_cgroup(settings, f);
}

int main(int argc, char *argv[])
{
    bool keeps = argc == 3 && strcmp(argv[1], EXEC_KEEPER) == 0;
    int settings_fd = argc == 3 && !keeps ? parse_fd(argv[1]) : -1;
    int gate = argc == 3 ? parse_fd(argv[2]) : -1;
    struct settings settings;
    struct failure f;
    bool settled;

    if ((settings_fd < 0 && !keeps) || gate < 0 || (gate = move_high(gate)) < 0) {
        fprintf(stderr, "orderly-exec is started by orderlyd; it is of no use by itself\n");
        return 2;
    }
    setup_signals();
    if (keeps)
        return keeper(gate);
    settled = settle(&settings, settings_fd, &f);
    close_all_but(gate);
    if (!wait_at_gate(gate))
        return 125;
    if (!settled) { /* not told before: what is unread when this end closes would hide it */
        report_failure(gate, &f);
        return failure_status(&f);
    }
    if (settings.header->flags & EXEC_STAY)
        stay(&settings, gate);
    become_service(&settings, gate);
}

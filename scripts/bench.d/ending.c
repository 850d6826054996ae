/* ending - loads go on until they are told to stop. */
#include "ending.h"

#include "measure.h"

#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <time.h>

static sigset_t ends(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

void ending_prepare(void)
{
    sigset_t set = ends();

    sigprocmask(SIG_BLOCK, &set, NULL);
}

bool ending_within(int64_t ns)
{
    struct timespec limit = {.tv_sec = ns / NS_PER_SEC, .tv_nsec = ns % NS_PER_SEC};
    sigset_t set = ends();

    return sigtimedwait(&set, NULL, &limit) > 0;
}

int ending_fd(void)
{
    sigset_t set = ends();
    int fd = signalfd(-1, &set, SFD_CLOEXEC);

    if (fd < 0)
        die("signalfd: %m");
    return fd;
}

void ending_ready(void)
{
    puts("ready");
    if (fflush(stdout))
        die("say that the load is there: %m");
}

/* The one thing that has to be reached from a signal handler: whether this thread reads. The
 * handler is looked for each time, for somebody else may have put another in its place. */
#include "mapped.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static _Thread_local volatile sig_atomic_t reading;

/* Puts a page of zeros there; mmap() and what else is called here may be called by a handler. */
static bool put_zeros(void *at)
{
    uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE), page = (uintptr_t)at & ~(size - 1);

    return mmap((void *)page, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
           MAP_FAILED;
}

static void handle(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (reading && info->si_code == BUS_ADRERR && put_zeros(info->si_addr))
        return;
    signal(number, SIG_DFL);
    raise(number); /* once this handler has returned */
}

static void install(void)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO}, now;

    if (sigaction(SIGBUS, NULL, &now) == 0 && now.sa_sigaction == handle)
        return;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

void mapped_begin(struct mapped *mapped)
{
    sigset_t bus;

    install();
    sigemptyset(&bus);
    sigaddset(&bus, SIGBUS);
    pthread_sigmask(SIG_UNBLOCK, &bus, &mapped->signals); /* threads block them all */
    reading = 1;
}

void mapped_end(const struct mapped *mapped)
{
    reading = 0;
    pthread_sigmask(SIG_SETMASK, &mapped->signals, NULL);
}

#include "interrupt.h"

#include "base/clock.h"

#include <signal.h>
#include <time.h>

static volatile sig_atomic_t came; /* a signal handler can reach nothing but a static object */

static void note(int number)
{
    (void)number;
    came = 1;
}

void interrupt_watch(void)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESETHAND}, old;

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, NULL, &old);
    if (old.sa_handler != SIG_IGN) /* in the background of a shell script it is ignored */
        sigaction(SIGINT, &action, NULL);
}

bool interrupted(void)
{
    return came;
}

bool pause_us(int64_t us)
{
    struct timespec left = {us / USEC_PER_SEC, us % USEC_PER_SEC * 1000};

    if (!came)
        nanosleep(&left, NULL);
    return !came;
}

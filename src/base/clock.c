#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t now(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t); /* cannot fail: both clocks exist on every Linux */
    return (int64_t)t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
    return now(CLOCK_MONOTONIC);
}

int64_t clock_utc_us(void)
{
    return now(CLOCK_REALTIME);
}

void clock_format_utc(int64_t utc_us, char text[static CLOCK_TEXT_SIZE])
{
    time_t seconds = (time_t)(utc_us / USEC_PER_SEC);
    int micros = (int)(utc_us % USEC_PER_SEC);
    struct tm tm;
    size_t len;

    gmtime_r(&seconds, &tm);
    len = strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + len, CLOCK_TEXT_SIZE - len, ".%06dZ", micros);
}

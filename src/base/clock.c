#include "base/clock.h"

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

/* The last moment that four digits of a year can tell. */
#define UTC_MAX INT64_C(253402300799999999)

static char *put_digits(char *at, int value, int width, char behind)
{
    for (int i = width - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    at[width] = behind;
    return at + width + 1;
}

/* The day of the proleptic Gregorian calendar, counted in years that begin with March, so that the
 * leap day is the last one. gmtime_r() takes the lock of the time zone, and strftime() the locale:
 * each event, line and record has such a text. */
static char *put_date(char *at, int days)
{
    int day = days + 719468; /* since 0000-03-01 */
    int era = day / 146097, of_era = day % 146097;
    int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * year + year / 4 - year / 100);
    int month = (5 * of_year + 2) / 153; /* 0: March */

    at = put_digits(at, era * 400 + year + (month >= 10), 4, '-');
    at = put_digits(at, month < 10 ? month + 3 : month - 9, 2, '-');
    return put_digits(at, of_year - (153 * month + 2) / 5 + 1, 2, 'T');
}

void clock_format_utc(int64_t utc_us, char text[static CLOCK_TEXT_SIZE])
{
    int64_t us = utc_us < 0 ? 0 : utc_us > UTC_MAX ? UTC_MAX : utc_us;
    int seconds = (int)(us / USEC_PER_SEC % 86400);
    char *at = put_date(text, (int)(us / (86400 * USEC_PER_SEC)));

    at = put_digits(at, seconds / 3600, 2, ':');
    at = put_digits(at, seconds / 60 % 60, 2, ':');
    at = put_digits(at, seconds % 60, 2, '.');
    at = put_digits(at, (int)(us % USEC_PER_SEC), 6, 'Z');
    *at = '\0';
}

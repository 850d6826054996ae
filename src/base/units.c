#include "base/units.h"

#include "base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit durations[] = {
    {"d", 86400 * USEC_PER_SEC}, {"h", 3600 * USEC_PER_SEC}, {"m", 60 * USEC_PER_SEC},
    {"s", USEC_PER_SEC},         {"ms", USEC_PER_MSEC},      {"us", 1},
    {"", USEC_PER_SEC},
};
static const struct unit sizes[] = {
    {"G", INT64_C(1) << 30},
    {"M", INT64_C(1) << 20},
    {"K", INT64_C(1) << 10},
    {"", 1},
};

/* digits [. digits] unit; the fraction may not be finer than one of the smallest. */
static int parse(const char *s, const struct unit *units, size_t count, int64_t *ret)
{
    int64_t whole = 0, fraction = 0, scale = 1, value;
    const char *p = s;

    if (*p < '0' || *p > '9')
        return -EINVAL;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, *p - '0', &whole))
            return -ERANGE;
    if (*p == '.') {
        p++;
        if (*p < '0' || *p > '9')
            return -EINVAL;
        for (; *p >= '0' && *p <= '9' && scale < 1000000; p++, scale *= 10)
            fraction = fraction * 10 + (*p - '0');
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(p, units[i].name) != 0)
            continue;
        if (fraction * units[i].factor % scale != 0)
            return -EINVAL;
        if (__builtin_mul_overflow(whole, units[i].factor, &value) ||
            __builtin_add_overflow(value, fraction * units[i].factor / scale, &value))
            return -ERANGE;
        *ret = value;
        return 0;
    }
    return -EINVAL;
}

int units_parse_duration(const char *s, int64_t *ret_us)
{
    return parse(s, durations, sizeof durations / sizeof *durations, ret_us);
}

int units_parse_size(const char *s, int64_t *ret_bytes)
{
    return parse(s, sizes, sizeof sizes / sizeof *sizes, ret_bytes);
}

int units_parse_int(const char *s, int64_t *ret_value)
{
    bool negative = *s == '-';
    int64_t value;
    int result;

    if (strchr(s, '.'))
        return -EINVAL;
    result = parse(s + negative, sizes + 3, 1, &value);
    if (result == 0)
        *ret_value = negative ? -value : value;
    return result;
}

static void format(int64_t value, const struct unit *units, size_t count, char *text)
{
    for (size_t i = 0; i < count; i++)
        if (value >= units[i].factor && value % units[i].factor == 0) {
            snprintf(text, UNITS_TEXT_SIZE, "%lld%s", (long long)(value / units[i].factor),
                     units[i].name);
            return;
        }
    snprintf(text, UNITS_TEXT_SIZE, "%lld", (long long)value);
}

void units_format_duration(int64_t us, char text[static UNITS_TEXT_SIZE])
{
    if (us > USEC_PER_SEC && us < 60 * USEC_PER_SEC && us % (100 * USEC_PER_MSEC) == 0 &&
        us % USEC_PER_SEC != 0)
        snprintf(text, UNITS_TEXT_SIZE, "%lld.%llds", (long long)(us / USEC_PER_SEC),
                 (long long)(us % USEC_PER_SEC / (100 * USEC_PER_MSEC)));
    else if (us == 0)
        snprintf(text, UNITS_TEXT_SIZE, "0s");
    else
        format(us, durations, sizeof durations / sizeof *durations - 1, text);
}

void units_format_size(int64_t bytes, char text[static UNITS_TEXT_SIZE])
{
    format(bytes, sizes, sizeof sizes / sizeof *sizes, text);
}

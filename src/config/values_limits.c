/* values_limits - types that this process's own limits bound: a limit that can't be kept is an
 * error at load, not at every start. */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/units.h"
#include "loading.h"
#include "values.h"

#include <ctype.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static void format_int(int64_t value, char *text)
{
    snprintf(text, UNITS_TEXT_SIZE, "%lld", (long long)value);
}

/* What the service may have at most; INT64_MAX: anything. */
static int64_t hard_limit(int resource)
{
    struct rlimit limit;

    if (getrlimit(resource, &limit) < 0 || limit.rlim_max == RLIM_INFINITY ||
        limit.rlim_max > (rlim_t)INT64_MAX)
        return INT64_MAX;
    return (int64_t)limit.rlim_max;
}

static void set_nofile(const struct setting *s)
{
    int64_t value, hard = hard_limit(RLIMIT_NOFILE);

    if (units_parse_int(s->text, &value) < 0 || value < s->field->min || value > s->field->max)
        setting_expected(s);
    else if (value > hard)
        setting_refuse(s, 0, "%lld is above the hard limit of %lld that we were given ourselves",
                       (long long)value, (long long)hard);
    else
        *(int64_t *)setting_target(s) = value;
}

const struct value_type type_nofile = {
    .name = "number", .expects = "a whole number", .format = format_int, .set = set_nofile};

/* Processors with at most three decimals, in thousandths; false: something else, or too many. */
static bool parse_milli(const char *s, int64_t *ret_milli)
{
    int64_t value = 0;
    int decimals = -1; /* -1: still before the point */

    if (!isdigit((unsigned char)*s))
        return false;
    for (; *s; s++) {
        if (*s == '.' && decimals < 0 && isdigit((unsigned char)s[1])) {
            decimals = 0;
            continue;
        }
        if (!isdigit((unsigned char)*s) || decimals == 3 || value > INT32_MAX)
            return false;
        value = value * 10 + (*s - '0');
        decimals += decimals >= 0;
    }
    for (decimals = decimals < 0 ? 0 : decimals; decimals < 3; decimals++)
        value *= 10;
    *ret_milli = value;
    return true;
}

static void format_milli(int64_t milli, char *text)
{
    int len = snprintf(text, UNITS_TEXT_SIZE, "%lld.%03lld", (long long)(milli / 1000),
                       (long long)(milli % 1000));

    while (text[len - 1] == '0')
        text[--len] = '\0';
    if (text[len - 1] == '.')
        text[len - 1] = '\0';
}

static void set_cpu(const struct setting *s)
{
    int64_t milli;

    if (!parse_milli(s->text, &milli) || milli < s->field->min || milli > s->field->max)
        setting_expected(s);
    else
        *(int64_t *)setting_target(s) = milli;
}

const struct value_type type_cpu = {.name = "processors",
                                    .expects = "a number of processors such as 0.5 or 2",
                                    .format = format_milli,
                                    .set = set_cpu};

static void set_core(const struct setting *s)
{
    int64_t value = INT64_MAX, hard = hard_limit(RLIMIT_CORE);
    bool unlimited = strcmp(s->text, "unlimited") == 0 || strcmp(s->text, "infinity") == 0;

    if (!unlimited && units_parse_size(s->text, &value) < 0)
        setting_expected(s);
    else if (value > hard)
        setting_refuse(s, 0,
                       "%s is above the hard limit of %lld bytes that we were given ourselves",
                       QUOTED(s->text), (long long)hard);
    else
        *(int64_t *)setting_target(s) = value;
}

const struct value_type type_core = {.name = "size or unlimited",
                                     .expects = "a size such as 0 or 100M, or unlimited",
                                     .set = set_core};

/* false, too, when it can't be found out. */
static bool may_raise_limits(void)
{
    CLEANUP(freep) char *status = NULL;
    unsigned long long effective;
    const char *line;
    size_t len;

    if (file_read("/proc/self/status", 64 << 10, &status, &len, NULL) < 0)
        return false;
    line = strstr(status, "\nCapEff:");
    return line && sscanf(line, "\nCapEff: %llx", &effective) == 1 &&
           (effective >> CAP_SYS_RESOURCE & 1);
}

static int64_t own_oom_score(void)
{
    CLEANUP(freep) char *text = NULL;
    int64_t value = 0;
    size_t len;

    if (file_read("/proc/self/oom_score_adj", 64, &text, &len, NULL) < 0)
        return 0;
    text[strcspn(text, "\n")] = '\0';
    units_parse_int(text, &value);
    return value;
}

static void set_oom_score(const struct setting *s)
{
    struct service_spec *spec = s->loading->record;
    int64_t value, own = own_oom_score();

    if (units_parse_int(s->text, &value) < 0 || value < s->field->min || value > s->field->max) {
        setting_expected(s);
    } else if (value < own && !may_raise_limits()) {
        setting_refuse(s, 0, "%lld is below our own %lld: only root (CAP_SYS_RESOURCE) may do that",
                       (long long)value, (long long)own);
    } else {
        spec->oom_score_adjust = value;
        spec->set_oom_score_adjust = true;
    }
}

const struct value_type type_oom_score = {
    .name = "number", .expects = "a whole number", .format = format_int, .set = set_oom_score};

#include "query.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/nearest.h"
#include "base/units.h"
#include "percent.h"
#include "revision.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
    KIND_FLAG,
    KIND_DURATION,
    KIND_WAIT,
    KIND_NUMBER,
    KIND_SERVICE,
    KIND_STATE,
    KIND_SINCE
};

/* The table's order is that of enum parameter's bits. */
static const struct parameter_kind {
    const char *name;
    enum kind kind;
    size_t offset; /* in struct query */
    int64_t min, max;
    const char *expected;
} parameters[] = {
    {"wait", KIND_WAIT, offsetof(struct query, wait), 0, 3600 * USEC_PER_SEC,
     "seconds from 0 to 3600, as 45, 0.5 or 45s; bare, it waits for the end"},
    {"timeout", KIND_DURATION, offsetof(struct query, timeout), USEC_PER_MSEC, 86400 * USEC_PER_SEC,
     "seconds from 0.001 to 86400 (1ms to 24h), as 45, 0.5 or 45s"},
    {"service", KIND_SERVICE, offsetof(struct query, service), 0, 0, "the name of a service"},
    {"state", KIND_STATE, offsetof(struct query, state), 0, 0,
     "queued, running, succeeded, failed, timed_out, cancelled, superseded or interrupted"},
    {"before", KIND_NUMBER, offsetof(struct query, before), 1, INT64_MAX,
     "the number of an operation, from 1"},
    {"limit", KIND_NUMBER, offsetof(struct query, limit), 1, 1000, "a number from 1 to 1000"},
    {"since", KIND_SINCE, offsetof(struct query, since), 0, 0,
     "a revision that GET /status has given, as b3f1-8812"},
    {"lines", KIND_NUMBER, offsetof(struct query, lines), 0, 100000, "a number from 0 to 100000"},
    {"follow", KIND_FLAG, offsetof(struct query, follow), 0, 0, "nothing, yes or no"},
    {"strict", KIND_FLAG, offsetof(struct query, strict), 0, 0, "nothing, yes or no"},
    {"leave", KIND_FLAG, offsetof(struct query, leave), 0, 0, "nothing, yes or no"},
};
#define PARAMETERS (sizeof parameters / sizeof *parameters)

void query_init(struct query *query)
{
    *query = (struct query){.state = -1, .limit = 100, .lines = 100};
}

static int refuse_unknown(unsigned allowed, const char *name, struct error *err)
{
    struct nearest best = {.typed = name};
    char known[160] = "";
    size_t len = 0;

    for (size_t i = 0; i < PARAMETERS; i++) {
        if (!(allowed & 1u << i))
            continue;
        nearest_offer(&best, parameters[i].name);
        len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", len ? ", " : "",
                                parameters[i].name);
    }
    if (best.word)
        return error_set(err, -EINVAL, "there is no parameter \"%.64s\" here; did you mean \"%s\"?",
                         name, best.word);
    if (len == 0)
        return error_set(err, -EINVAL,
                         "there is no parameter \"%.64s\" here; this request takes none", name);
    return error_set(err, -EINVAL, "there is no parameter \"%.64s\" here; this request takes %s",
                     name, known);
}

static bool parse_flag(const char *value, bool *ret)
{
    static const char *const words[] = {"no", "yes", "false", "true", "0", "1"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!value || strcmp(value, words[i]) == 0) {
            *ret = !value || i % 2 == 1;
            return true;
        }
    return false;
}

static bool parse_number(const struct parameter_kind *p, const char *value, int64_t *ret)
{
    int64_t number;
    bool is_number = p->kind == KIND_NUMBER ? units_parse_int(value, &number) == 0
                                            : units_parse_duration(value, &number) == 0;

    if (!is_number || number < p->min || number > p->max)
        return false;
    *ret = number;
    return true;
}

static bool parse(const struct parameter_kind *p, const char *value, void *ret)
{
    int64_t *number = ret;

    if (!value && p->kind != KIND_FLAG && p->kind != KIND_WAIT)
        return false;
    switch (p->kind) {
    case KIND_FLAG: return parse_flag(value, ret);
    case KIND_WAIT:
        if (!value || strcmp(value, "yes") == 0 || strcmp(value, "true") == 0)
            *number = CLOCK_NEVER;
        else if (strcmp(value, "no") == 0 || strcmp(value, "false") == 0)
            *number = 0;
        else
            return parse_number(p, value, number);
        return true;
    case KIND_DURATION:
    case KIND_NUMBER: return parse_number(p, value, number);
    case KIND_SERVICE:
        if (!service_name_valid(value))
            return false;
        snprintf(ret, SERVICE_NAME_MAX + 1, "%s", value);
        return true;
    case KIND_STATE: *number = name_parse(&operation_state_names, value); return *number >= 0;
    case KIND_SINCE: return revision_parse(value, ret);
    }
    __builtin_unreachable();
}

int query_set(struct query *query, unsigned allowed, const char *name, const char *value,
              struct error *err)
{
    for (size_t i = 0; i < PARAMETERS; i++) {
        const struct parameter_kind *p = &parameters[i];

        if (!(allowed & 1u << i) || strcmp(p->name, name) != 0)
            continue;
        if (query->given & 1u << i)
            return error_set(err, -EINVAL, "parameter \"%s\" is given twice", name);
        if (!parse(p, value, (char *)query + p->offset))
            return error_set(err, -EINVAL, "parameter \"%s\" must be %s%s%.64s%s", name,
                             p->expected, value ? ", not \"" : "", value ? value : "",
                             value ? "\"" : "");
        query->given |= 1u << i;
        return 0;
    }
    return refuse_unknown(allowed, name, err);
}

int query_set_encoded(struct query *query, unsigned allowed, const char *name, const char *value,
                      struct error *err)
{
    CLEANUP(freep) char *plain_name = strdup(name);
    CLEANUP(freep) char *plain_value = value ? strdup(value) : NULL;

    if (!plain_name || (value && !plain_value))
        return error_set(err, -ENOMEM, "%m");
    if (!percent_decode(name, plain_name) || (value && !percent_decode(value, plain_value)))
        return error_set(err, -EINVAL,
                         "parameter \"%.64s\": %% must be followed by two hex digits, and %%00 is "
                         "not allowed",
                         name);
    return query_set(query, allowed, plain_name, plain_value, err);
}

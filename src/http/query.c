#include "query.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/nearest.h"
#include "base/units.h"
#include "model/exit_cause.h"
#include "percent.h"
#include "plain_text.h"
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
    KIND_NAME,
    KIND_SIGNAL,
    KIND_TEXT,
    KIND_SINCE
};

/* The table's order is that of enum parameter's bits. */
static const struct parameter_kind {
    const char *name;
    enum kind kind;
    size_t offset; /* in struct query */
    int64_t min, max;
    const char *expected;
    const struct name_set *names; /* of KIND_NAME */
} parameters[] = {
    {"wait", KIND_WAIT, offsetof(struct query, wait), 0, 3600 * USEC_PER_SEC,
     "seconds from 0 to 3600, as 45, 0.5 or 45s; bare, it waits for the end", NULL},
    {"timeout", KIND_DURATION, offsetof(struct query, timeout), USEC_PER_MSEC, 86400 * USEC_PER_SEC,
     "seconds from 0.001 to 86400 (1ms to 24h), as 45, 0.5 or 45s", NULL},
    {"service", KIND_SERVICE, offsetof(struct query, service), 0, 0, "the name of a service", NULL},
    {"state", KIND_NAME, offsetof(struct query, state), 0, 0,
     "queued, running, succeeded, failed, timed_out, cancelled, superseded or interrupted",
     &operation_state_names},
    {"before", KIND_NUMBER, offsetof(struct query, before), 1, INT64_MAX,
     "the number of an operation, from 1", NULL},
    {"limit", KIND_NUMBER, offsetof(struct query, limit), 1, 1000, "a number from 1 to 1000", NULL},
    {"since", KIND_SINCE, offsetof(struct query, since), 0, 0,
     "a revision that GET /status has given, as b3f1-8812", NULL},
    {"lines", KIND_NUMBER, offsetof(struct query, lines), 0, 100000, "a number from 0 to 100000",
     NULL},
    {"follow", KIND_FLAG, offsetof(struct query, follow), 0, 0, "nothing, yes or no", NULL},
    {"strict", KIND_FLAG, offsetof(struct query, strict), 0, 0, "nothing, yes or no", NULL},
    {"leave", KIND_FLAG, offsetof(struct query, leave), 0, 0, "nothing, yes or no", NULL},
    {"mode", KIND_NAME, offsetof(struct query, mode), 0, 0, "queue, fail or replace", &mode_names},
    {"coalesce", KIND_FLAG, offsetof(struct query, coalesce), 0, 0, "nothing, yes or no", NULL},
    {"reason", KIND_TEXT, offsetof(struct query, reason), 1, REASON_MAX,
     "1 to 256 bytes of UTF-8 text without control characters", NULL},
    {"signal", KIND_SIGNAL, offsetof(struct query, signal), 0, 0,
     "the name or number of a signal, as HUP, SIGUSR1 or 10", NULL},
    {"goal", KIND_NAME, offsetof(struct query, goal), 0, 0, "up or down", &goal_names},
    {"batch", KIND_NUMBER, offsetof(struct query, batch), 1, INT64_MAX,
     "the number of a batch, from 1", NULL},
    {"stream", KIND_NAME, offsetof(struct query, stream), 0, 0, "stdout or stderr", &stream_names},
    {"since", KIND_NUMBER, offsetof(struct query, since_event), 0, INT64_MAX,
     "the id of an event, a number from 0", NULL},
};
#define PARAMETERS (sizeof parameters / sizeof *parameters)

void query_init(struct query *query)
{
    *query = (struct query){.state = -1, .limit = 100, .lines = 100};
}

static int refuse_unknown(unsigned allowed, const char *name, struct error *err)
{
    struct nearest best = {.typed = name};
    char known[256] = "";
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

static bool parse_text(const struct parameter_kind *p, const char *value, char *ret)
{
    size_t len = strlen(value);

    if ((int64_t)len < p->min || (int64_t)len > p->max || !plain_text(value))
        return false;
    memcpy(ret, value, len + 1);
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
    case KIND_NAME: *number = name_parse(p->names, value); return *number >= 0;
    case KIND_SIGNAL: *number = signal_parse(value); return *number > 0;
    case KIND_TEXT: return parse_text(p, value, ret);
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

bool query_is_text(const char *name)
{
    for (size_t i = 0; i < PARAMETERS; i++)
        if (strcmp(parameters[i].name, name) == 0)
            return parameters[i].kind == KIND_TEXT || parameters[i].kind == KIND_NAME ||
                   parameters[i].kind == KIND_SERVICE;
    return false;
}

const char *query_parameter(size_t index, const char **ret_expected)
{
    if (index >= PARAMETERS)
        return NULL;
    *ret_expected = parameters[index].expected;
    return parameters[index].name;
}

/* The query of a request: NAME=VALUE&NAME..., for a route that takes what the first four bytes say.
 * What was accepted, written down from what was understood, is understood the same. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/exit_cause.h"
#include "percent.h"
#include "plain_text.h"
#include "query.h"
#include "revision.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PARAMETERS_MOST 19

/* ---- writing down ---- */

static void encode(const char *text, struct text *t)
{
    for (; *text; text++)
        text_appendf(t, "%%%02X", (unsigned char)*text);
}

static void write_number(struct text *t, int64_t number, bool microseconds)
{
    text_appendf(t, "%" PRId64 "%s", number, microseconds ? "us" : "");
}

static void write_name(struct text *t, const struct name_set *names, int64_t value)
{
    CHECK(value >= 0 && (size_t)value < names->count, "word %" PRId64, value);
    encode(name_of(names, (int)value), t);
}

static void write_signal(struct text *t, int64_t number)
{
    char name[16];

    signal_name((int)number, name);
    CHECK(signal_parse(name) == number, "signal %" PRId64 " is called %s", number, name);
    encode(name, t);
}

static void write_wait(struct text *t, int64_t wait)
{
    if (wait == CLOCK_NEVER)
        text_append(t, "yes");
    else
        write_number(t, wait, true);
}

static void write_value(struct text *t, const struct query *q, enum parameter parameter)
{
    char revision[REVISION_TEXT_SIZE];

    switch (parameter) {
    case PARAMETER_WAIT: write_wait(t, q->wait); break;
    case PARAMETER_TIMEOUT: write_number(t, q->timeout, true); break;
    case PARAMETER_SERVICE:
        CHECK(service_name_valid(q->service), "%s", q->service);
        encode(q->service, t);
        break;
    case PARAMETER_STATE: write_name(t, &operation_state_names, q->state); break;
    case PARAMETER_BEFORE: write_number(t, q->before, false); break;
    case PARAMETER_LIMIT: write_number(t, q->limit, false); break;
    case PARAMETER_SINCE:
        revision_format(q->since, revision);
        encode(revision, t);
        break;
    case PARAMETER_LINES: write_number(t, q->lines, false); break;
    case PARAMETER_FOLLOW: text_append(t, q->follow ? "yes" : "no"); break;
    case PARAMETER_STRICT: text_append(t, q->strict ? "yes" : "no"); break;
    case PARAMETER_LEAVE: text_append(t, q->leave ? "yes" : "no"); break;
    case PARAMETER_MODE: write_name(t, &mode_names, q->mode); break;
    case PARAMETER_COALESCE: text_append(t, q->coalesce ? "yes" : "no"); break;
    case PARAMETER_REASON:
        CHECK(plain_text(q->reason) && *q->reason, "%s", q->reason);
        encode(q->reason, t);
        break;
    case PARAMETER_SIGNAL: write_signal(t, q->signal); break;
    case PARAMETER_GOAL: write_name(t, &goal_names, q->goal); break;
    case PARAMETER_BATCH: write_number(t, q->batch, false); break;
    case PARAMETER_STREAM: write_name(t, &stream_names, q->stream); break;
    case PARAMETER_SINCE_EVENT: write_number(t, q->since_event, false); break;
    }
}

static void set_again(struct query *again, const struct query *query, unsigned index)
{
    CLEANUP(text_deinit) struct text value = {0};
    const char *expected, *name = query_parameter(index, &expected);
    enum parameter parameter = (enum parameter)(1u << index);
    struct error err = {0};

    write_value(&value, query, parameter);
    CHECK(query_set_encoded(again, parameter, name, value.data ? value.data : "", &err) == 0,
          "%s=%s: %s", name, value.data, err.text);
}

static void check_same(const struct query *query)
{
    struct query again;

    memset(&again, 0, sizeof again); /* what lies between members */
    query_init(&again);
    for (unsigned i = 0; i < PARAMETERS_MOST; i++)
        if (query->given & 1u << i)
            set_again(&again, query, i);
    CHECK(memcmp(&again, query, sizeof again) == 0, "what was written down means something else");
}

/* ---- reading ---- */

static char *cut(char **rest, char separator)
{
    char *begin = *rest, *end = strchr(begin, separator);

    *rest = end ? end + 1 : NULL;
    if (end)
        *end = '\0';
    return begin;
}

/* As libmicrohttpd cuts a query up. */
static void read_query(struct query *query, unsigned allowed, char *text)
{
    for (char *rest = text; rest;) {
        char *value = cut(&rest, '&'), *name = cut(&value, '=');
        struct query before = *query;
        struct error err = {0};
        int result = query_set_encoded(query, allowed, name, value, &err);

        CHECK(result == 0 || result == -EINVAL, "%d", result);
        if (result == 0) {
            CHECK(query->given != before.given && !(query->given & ~allowed), "%s is not taken",
                  name);
        } else {
            CHECK(query->given == before.given && err.text[0], "%s is taken and refused", name);
            *query = before; /* a request ends with the first that is refused */
        }
    }
}

static void check_percent(const char *text)
{
    CLEANUP(freep) char *decoded = malloc(strlen(text) + 1);
    CLEANUP(freep) char *again = NULL;
    CLEANUP(text_deinit) struct text encoded = {0};

    if (!percent_decode(text, decoded))
        return;
    encode(decoded, &encoded);
    again = malloc(encoded.len + 1);
    CHECK(percent_decode(encoded.data ? encoded.data : "", again), "%s", encoded.data);
    CHECK(strcmp(decoded, again) == 0, "%s became %s", decoded, again);
}

/* The same text as a list of entity tags. */
static void check_tags(const char *text)
{
    struct revision revision = {0xb3f1, 8812};
    char list[128], tag[REVISION_TEXT_SIZE];

    revision_matches(text, revision);
    revision_format(revision, tag);
    snprintf(list, sizeof list, "\"other\", W/\"%s\"", tag);
    CHECK(revision_matches(list, revision), "%s", list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = input_of(data, size);
    uint32_t allowed;
    struct query query;
    CLEANUP(freep) char *text = NULL;

    input_bytes(&input, &allowed, sizeof allowed);
    text = input_rest(&input, &size);
    check_percent(text);
    check_tags(text);
    memset(&query, 0, sizeof query);
    query_init(&query);
    allowed &= (1u << PARAMETERS_MOST) - 1;
    if (allowed & PARAMETER_SINCE) /* no route knows both that are called so */
        allowed &= ~(unsigned)PARAMETER_SINCE_EVENT;
    read_query(&query, allowed, text);
    check_same(&query);
    return 0;
}

#include "parameters.h"

#include "body.h"
#include "exchange.h"
#include "head.h"
#include "router.h"

#include <errno.h>
#include <microhttpd.h>
#include <string.h>
#include <strings.h>

#define IDEMPOTENCY_KEY "Idempotency-Key"

bool refuse_parameters(struct exchange *x, const struct error *err, enum problem_code code)
{
    if (err->code == -ENOMEM)
        x->broken = true;
    else
        exchange_problem(x, code, "%s", err->text);
    return false;
}

/* ---- the query ---- */

struct reading {
    struct exchange *x;
    struct error err;
};

static enum MHD_Result take_parameter(void *context, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
    struct reading *reading = context;
    struct exchange *x = reading->x;

    (void)kind;
    return query_set_encoded(&x->query, x->route->parameters, name, value, &reading->err) < 0
               ? MHD_NO
               : MHD_YES;
}

static bool read_query(struct exchange *x)
{
    struct reading reading = {.x = x};

    MHD_get_connection_values(x->connection, MHD_GET_ARGUMENT_KIND, take_parameter, &reading);
    return reading.err.code == 0 || refuse_parameters(x, &reading.err, PROBLEM_BAD_PARAMETER);
}

/* ---- the body ---- */

static bool read_body(struct exchange *x)
{
    struct error err = {0};
    enum problem_code code;

    if (x->body_len == 0)
        return true;
    if (x->body_len > BODY_LIMIT) {
        exchange_problem(x, PROBLEM_TOO_LARGE, "a body may have at most %d bytes", BODY_LIMIT);
        return false;
    }
    if (x->body.failed) {
        x->broken = true;
        return false;
    }
    switch (x->route->body) {
    case BODY_NONE:
        exchange_problem(x, PROBLEM_BAD_BODY, "%.32s \"%.256s\" takes no body", x->method, x->path);
        return false;
    case BODY_BATCH: return true;
    case BODY_PARAMETERS: break;
    }
    if (body_parse(x->body.data, x->body.len, x->route->parameters, &x->query, &code, &err) < 0)
        return refuse_parameters(x, &err, code);
    return true;
}

/* ---- the key ---- */

struct keys {
    const char *value;
    unsigned count;
};

static enum MHD_Result note_key(void *context, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    struct keys *keys = context;

    (void)kind;
    if (strcasecmp(name, IDEMPOTENCY_KEY) != 0)
        return MHD_YES;
    keys->value = value ? value : "";
    keys->count++;
    return MHD_YES;
}

static bool key_valid(const char *key)
{
    size_t len = strlen(key);

    if (len < 1 || len > IDEMPOTENCY_KEY_MAX)
        return false;
    for (const char *p = key; *p; p++)
        if (*p < '!' || *p > '~')
            return false;
    return true;
}

static bool read_key(struct exchange *x)
{
    struct keys keys = {0};

    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, note_key, &keys);
    if (keys.count == 0)
        return true;
    if (!route_makes_operations(x->route)) {
        exchange_problem(x, PROBLEM_BAD_PARAMETER,
                         IDEMPOTENCY_KEY
                         " is for requests that make an operation; %.32s \"%.256s\" "
                         "makes none",
                         x->method, x->path);
        return false;
    }
    if (keys.count > 1 || !key_valid(keys.value)) {
        exchange_problem(x, PROBLEM_BAD_PARAMETER,
                         IDEMPOTENCY_KEY " must be given once, 1 to %d visible ASCII characters",
                         IDEMPOTENCY_KEY_MAX);
        return false;
    }
    x->key = keys.value;
    return true;
}

bool parameters_read(struct exchange *x)
{
    return read_query(x) && read_body(x) && read_key(x);
}

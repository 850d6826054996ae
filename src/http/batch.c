#include "batch.h"

#include "base/nearest.h"
#include "body.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define OPERATIONS  "operations"
#define PATTERN_MAX 256 /* a name has at most SERVICE_NAME_MAX */
#define ITEM_VALUES (PARAMETER_TIMEOUT | PARAMETER_SIGNAL)

/* ---- one of the operations ---- */

static int set_action(struct request_item *item, const json_t *value, struct error *err)
{
    const char *word = json_string_value(value), *near;
    int action = word ? name_parse(&action_names, word) : -1;

    if (action < 0) {
        near = word ? nearest_word(word, action_names.names, action_names.count) : NULL;
        return error_set(err, -EINVAL, "must be start, stop, restart, reload or signal%s%s%s",
                         near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    item->action = (enum action)action;
    return 0;
}

static int set_service(struct request_item *item, const json_t *value, struct error *err)
{
    const char *text = json_string_value(value);

    if (!text || !*text)
        return error_set(err, -EINVAL, "must be a name, a glob as \"web*\", or a \"@tag\"");
    if (strlen(text) > PATTERN_MAX)
        return error_set(err, -EINVAL, "may have at most %d bytes", PATTERN_MAX);
    item->service = text;
    return 0;
}

static int refuse_field(const char *name, struct error *err)
{
    static const char *const known[] = {"action", "service", "timeout", "signal"};
    const char *near = nearest_word(name, known, sizeof known / sizeof *known);

    if (near)
        return error_set(err, -EINVAL, "there is no such field; did you mean \"%s\"?", near);
    return error_set(err, -EINVAL,
                     "there is no such field; an operation has action, service, timeout, signal");
}

static int set_field(struct request_item *item, struct query *values, bool *has_action,
                     const char *name, const json_t *value, struct error *err)
{
    if (strcmp(name, "action") == 0) {
        *has_action = true;
        return set_action(item, value, err);
    }
    if (strcmp(name, "service") == 0)
        return set_service(item, value, err);
    if (strcmp(name, "timeout") == 0 || strcmp(name, "signal") == 0)
        return body_member(values, ITEM_VALUES, name, value, err);
    return refuse_field(name, err);
}

/* What must be there, and what must not. */
static int check_whole(const struct request_item *item, bool has_action, const struct query *values,
                       struct error *err)
{
    bool has_signal = values->given & PARAMETER_SIGNAL;

    if (!has_action || !item->service)
        return error_set(err, -EINVAL, "\"%s\" is missing", has_action ? "service" : "action");
    if (has_signal != (item->action == ACTION_SIGNAL))
        return error_set(err, -EINVAL,
                         has_signal ? "\"signal\" is for the action signal, not for %s"
                                    : "\"signal\" is missing: the action is %s",
                         action_name(item->action));
    return 0;
}

static int read_item(struct request_item *item, const json_t *object, size_t index,
                     struct error *err)
{
    struct query values;
    bool has_action = false;
    const char *name;
    const json_t *value;

    query_init(&values);
    if (!json_is_object(object))
        return error_set(err, -EINVAL,
                         OPERATIONS "[%zu]: must be an object, as {\"action\": \"restart\", "
                                    "\"service\": \"web*\"}",
                         index);
    json_object_foreach((json_t *)object, name, value)
    {
        if (set_field(item, &values, &has_action, name, value, err) < 0)
            return error_prefix(err, OPERATIONS "[%zu].%.64s", index, name);
    }
    if (check_whole(item, has_action, &values, err) < 0)
        return error_prefix(err, OPERATIONS "[%zu]", index);
    item->timeout_us = values.timeout;
    item->signal = (int)values.signal;
    return 0;
}

/* ---- all of it ---- */

static int read_items(struct batch *batch, const json_t *array, struct error *err)
{
    int result = 0;

    if (!json_is_array(array) || json_array_size(array) == 0)
        return error_set(err, -EINVAL,
                         "\"" OPERATIONS "\" must be a list of at least one operation");
    batch->items = calloc(json_array_size(array), sizeof *batch->items);
    if (!batch->items)
        return error_set(err, -ENOMEM, "%m");
    for (; batch->count < json_array_size(array) && result == 0; batch->count++)
        result = read_item(&batch->items[batch->count], json_array_get(array, batch->count),
                           batch->count, err);
    return result;
}

/* A member beside the operations: a parameter, or the word itself mistyped. */
static int read_beside(unsigned allowed, struct query *query, const char *name, const json_t *value,
                       struct error *err)
{
    static const char *const word[] = {OPERATIONS};

    if (nearest_word(name, word, 1))
        return error_set(err, -EINVAL,
                         "there is no field \"%.64s\" here; did you mean \"" OPERATIONS "\"?",
                         name);
    return body_member(query, allowed, name, value, err);
}

static int read_whole(struct batch *batch, unsigned allowed, struct query *query, struct error *err)
{
    const json_t *value;
    const char *name;
    int result = 0;

    json_object_foreach(batch->root, name, value)
    {
        if (strcmp(name, OPERATIONS) == 0)
            result = read_items(batch, value, err);
        else
            result = read_beside(allowed, query, name, value, err);
        if (result < 0)
            return result;
    }
    if (!batch->items)
        return error_set(err, -EINVAL, "\"" OPERATIONS "\" is missing");
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].timeout_us == 0)
            batch->items[i].timeout_us = query->timeout;
    return 0;
}

int batch_parse(const char *data, size_t len, unsigned allowed, struct query *query,
                struct batch *ret_batch, enum problem_code *ret_code, struct error *err)
{
    struct batch batch = {0};
    int result = body_load(data, len, &batch.root, ret_code, err);

    if (result == 0) {
        result = read_whole(&batch, allowed, query, err);
        if (result == -EINVAL)
            error_prefix(err, "in the body");
    }
    if (result == 0)
        *ret_batch = batch;
    else
        batch_deinit(&batch);
    return result;
}

void batch_deinit(struct batch *batch)
{
    free(batch->items);
    json_decref(batch->root);
    *batch = (struct batch){0};
}

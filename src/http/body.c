#include "body.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

static int set_number(struct query *query, unsigned allowed, const char *name, const json_t *value,
                      struct error *err)
{
    char text[400]; /* the longest double has 309 digits before the point */

    if (json_is_integer(value))
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        snprintf(text, sizeof text, "%.6f", json_real_value(value));
    return query_set(query, allowed, name, text, err);
}

static int set_member(struct query *query, unsigned allowed, const char *name, const json_t *value,
                      struct error *err)
{
    switch (json_typeof(value)) {
    case JSON_INTEGER:
    case JSON_REAL: return set_number(query, allowed, name, value, err);
    case JSON_STRING: return query_set(query, allowed, name, json_string_value(value), err);
    case JSON_TRUE: return query_set(query, allowed, name, NULL, err);
    case JSON_FALSE: return query_set(query, allowed, name, "no", err);
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_NULL: break;
    }
    return error_set(err, -EINVAL, "\"%.64s\" must be a number, a string or a boolean", name);
}

int body_parse(const char *data, size_t len, unsigned allowed, struct query *query,
               enum problem_code *ret_code, struct error *err)
{
    json_error_t wrong;
    json_t *root = json_loadb(data, len, JSON_REJECT_DUPLICATES, &wrong), *value;
    const char *name;
    int result = 0;

    *ret_code = PROBLEM_BAD_BODY;
    if (!root) {
        if (json_error_code(&wrong) == json_error_out_of_memory)
            return error_set(err, -ENOMEM, "%m");
        if (json_error_code(&wrong) == json_error_duplicate_key)
            return error_set(err, -EINVAL, "in the body: %s", wrong.text);
        *ret_code = PROBLEM_NOT_JSON;
        return error_set(err, -EINVAL, "the body is not JSON: line %d, column %d: %s", wrong.line,
                         wrong.column, wrong.text);
    }
    if (!json_is_object(root)) {
        result = error_set(err, -EINVAL, "the body must be a JSON object, as {\"timeout\": 60}");
    } else {
        json_object_foreach(root, name, value)
        {
            result = set_member(query, allowed, name, value, err);
            if (result < 0)
                break;
        }
    }
    json_decref(root);
    if (result == -EINVAL)
        error_prefix(err, "in the body");
    return result;
}

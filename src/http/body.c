#include "body.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#define DEEPEST 8 /* no request needs more than three */

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

int body_member(struct query *query, unsigned allowed, const char *name, const json_t *value,
                struct error *err)
{
    if (query_is_text(name) && !json_is_string(value))
        return error_set(err, -EINVAL, "\"%s\" must be a string", name);
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

/* Looked at before anything is built from it. */
static bool is_too_deep(const char *data, size_t len)
{
    bool in_string = false;
    size_t depth = 0;

    for (size_t i = 0; i < len; i++) {
        if (in_string && data[i] == '\\')
            i++;
        else if (data[i] == '"')
            in_string = !in_string;
        else if (!in_string && (data[i] == '{' || data[i] == '[') && ++depth > DEEPEST)
            return true;
        else if (!in_string && (data[i] == '}' || data[i] == ']') && depth > 0)
            depth--;
    }
    return false;
}

int body_load(const char *data, size_t len, json_t **ret_root, enum problem_code *ret_code,
              struct error *err)
{
    json_error_t wrong;
    json_t *root;

    *ret_code = PROBLEM_BAD_BODY;
    if (is_too_deep(data, len))
        return error_set(err, -EINVAL, "the body is nested more than %d levels deep", DEEPEST);
    root = json_loadb(data, len, JSON_REJECT_DUPLICATES, &wrong);
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
        json_decref(root);
        return error_set(err, -EINVAL, "the body must be a JSON object, as {\"timeout\": 60}");
    }
    *ret_root = root;
    return 0;
}

int body_parse(const char *data, size_t len, unsigned allowed, struct query *query,
               enum problem_code *ret_code, struct error *err)
{
    json_t *root, *value;
    const char *name;
    int result = body_load(data, len, &root, ret_code, err);

    if (result < 0)
        return result;
    json_object_foreach(root, name, value)
    {
        result = body_member(query, allowed, name, value, err);
        if (result < 0)
            break;
    }
    json_decref(root);
    if (result == -EINVAL)
        error_prefix(err, "in the body");
    return result;
}

/* fields - members of JSON objects, forgiving what is missing: a newer daemon may know more, an
 * older one less.
 * Threads: any. Ownership: strings belong to the object. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* "" when it is missing, null or no string. */
static inline const char *field_string(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));

    return s ? s : "";
}

static inline int64_t field_int(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static inline bool field_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

/* Whether it is there and says anything. */
static inline bool field_given(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return value && !json_is_null(value);
}

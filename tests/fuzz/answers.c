#include "answers.h"

#include "fuzz.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END "\r\n\r\n"

static const char *header(const char *head, const char *end, const char *name)
{
    const char *found = strcasestr(head, name);

    return found && found < end ? found + strlen(name) : NULL;
}

/* Problems say the status once more, and what it is about. */
static void check_problem(const json_t *body, int status, const char *text)
{
    CHECK(json_integer_value(json_object_get(body, "status")) == status, "%s", text);
    CHECK(json_string_value(json_object_get(body, "code")), "%s", text);
    CHECK(json_string_value(json_object_get(body, "detail")), "%s", text);
}

static void check_body(const char *head, const char *end, const char *body, size_t size, int status)
{
    const char *type = header(head, end, "\r\nContent-Type: application/");
    json_error_t wrong;
    json_t *root;

    if (!type || strncmp(type, "x-ndjson", 8) == 0)
        return;
    root = json_loadb(body, size, 0, &wrong);
    CHECK(root, "%s: %.*s", wrong.text, (int)size, body);
    if (strncmp(type, "problem+json", 12) == 0)
        check_problem(root, status, head);
    else
        CHECK(status < 400 || status == 409 || status == 503, "%s", head);
    json_decref(root);
}

static size_t skip_interim(const char *data, size_t size)
{
    static const char go_on[] = "HTTP/1.1 100 Continue" END;

    return size >= sizeof go_on - 1 && memcmp(data, go_on, sizeof go_on - 1) == 0 ? sizeof go_on - 1
                                                                                  : 0;
}

void answers_check(const char *data, size_t size, bool is_head, bool whole)
{
    const char *end, *length;
    size_t skipped = skip_interim(data, size), body;
    int status = 0;

    data += skipped;
    size -= skipped;
    end = strstr(data, END);
    if (!end) {
        CHECK(!whole || size == 0, "no whole head: %s", data);
        return;
    }
    CHECK(sscanf(data, "HTTP/1.1 %3d ", &status) == 1, "%.80s", data);
    CHECK(status >= 200 && status < 600 && status != 500, "%s", data);
    length = header(data, end, "\r\nContent-Length: ");
    body = length ? (size_t)strtoull(length, NULL, 10) : 0;
    end += strlen(END);
    if (!is_head && length && (size_t)(data + size - end) >= body && status != 304)
        check_body(data, end, end, body, status);
}

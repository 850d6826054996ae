#include "base/text.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_deinit(struct text *t)
{
    free(t->data);
    *t = (struct text){0};
}

void text_clear(struct text *t)
{
    t->len = 0;
    t->failed = false;
    if (t->data)
        t->data[0] = '\0';
}

/* Room for n more bytes and the NUL. */
static bool reserve(struct text *t, size_t n)
{
    size_t capacity = t->capacity ? t->capacity : 512;
    char *grown;

    if (t->failed)
        return false;
    if (n < t->capacity - t->len && t->capacity > t->len)
        return true;
    while (capacity - t->len <= n) {
        if (capacity > SIZE_MAX / 2)
            goto fail;
        capacity *= 2;
    }
    grown = realloc(t->data, capacity);
    if (!grown)
        goto fail;
    t->data = grown;
    t->capacity = capacity;
    return true;
fail:
    t->failed = true;
    return false;
}

void text_append_n(struct text *t, const char *s, size_t n)
{
    if (!reserve(t, n))
        return;
    memcpy(t->data + t->len, s, n);
    t->len += n;
    t->data[t->len] = '\0';
}

void text_append(struct text *t, const char *s)
{
    text_append_n(t, s, strlen(s));
}

/* Most fits into the room that is there, and is written once. */
void text_appendf(struct text *t, const char *format, ...)
{
    va_list arguments, again;
    size_t room;
    int n;

    if (!reserve(t, 0))
        return;
    room = t->capacity - t->len;
    va_start(arguments, format);
    va_copy(again, arguments);
    n = vsnprintf(t->data + t->len, room, format, arguments);
    if (n >= 0 && (size_t)n >= room && reserve(t, (size_t)n))
        vsnprintf(t->data + t->len, (size_t)n + 1, format, again);
    if (n >= 0 && !t->failed)
        t->len += (size_t)n;
    else if (t->data)
        t->data[t->len] = '\0';
    va_end(again);
    va_end(arguments);
}

char *text_take(struct text *t)
{
    char *data = t->data;

    if (t->failed) {
        text_deinit(t);
        return NULL;
    }
    if (!data)
        data = strdup("");
    else
        text_fit(t);
    data = t->data ? t->data : data;
    *t = (struct text){0};
    return data;
}

void text_fit(struct text *t)
{
    char *smaller = t->data ? realloc(t->data, t->len + 1) : NULL;

    if (!smaller)
        return; /* it stays as large as it is */
    t->data = smaller;
    t->capacity = t->len + 1;
}

/* The length of the UTF-8 sequence at s, or 0 when there is none. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

    if (len == 0 || len > n || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0; /* overlong, surrogate, beyond U+10FFFF */
    return len;
}

/* ASCII that stands for itself in a string. */
static bool is_plain(unsigned char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

/* The C1 controls, U+0080 to U+009F: some terminals obey them. */
static bool is_high_control(const unsigned char *s, size_t len)
{
    return len == 2 && s[0] == 0xc2 && s[1] < 0xa0;
}

static void append_escape(struct text *t, unsigned char c)
{
    switch (c) {
    case '"': text_append_n(t, "\\\"", 2); break;
    case '\\': text_append_n(t, "\\\\", 2); break;
    case '\n': text_append_n(t, "\\n", 2); break;
    case '\t': text_append_n(t, "\\t", 2); break;
    case '\r': text_append_n(t, "\\r", 2); break;
    default: text_appendf(t, "\\u%04x", c); break;
    }
}

void text_json_bytes(struct text *t, const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t plain = 0, i = 0;

    text_append_n(t, "\"", 1);
    while (i < n) {
        size_t len;

        if (is_plain(p[i])) {
            i++;
            continue;
        }
        len = utf8_length(p + i, n - i);
        if (len > 1 && !is_high_control(p + i, len)) {
            i += len;
            continue;
        }
        text_append_n(t, s + plain, i - plain);
        if (len == 0)
            text_append_n(t, "\xef\xbf\xbd", 3);
        else
            append_escape(t, p[i + len - 1]); /* of U+0080 to U+009F the last byte is the number */
        plain = i += len ? len : 1;
    }
    text_append_n(t, s + plain, n - plain);
    text_append_n(t, "\"", 1);
}

void text_json_string(struct text *t, const char *s)
{
    if (s)
        text_json_bytes(t, s, strlen(s));
    else
        text_append_n(t, "null", 4);
}

void text_json_bool(struct text *t, bool value)
{
    text_append(t, value ? "true" : "false");
}

void text_json_int(struct text *t, int64_t value)
{
    char digits[24], *end = digits + sizeof digits, *at = end;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--at = '-';
    text_append_n(t, at, (size_t)(end - at));
}

void text_json_utc(struct text *t, int64_t utc_us)
{
    char when[CLOCK_TEXT_SIZE];

    if (utc_us == 0) {
        text_append_n(t, "null", 4);
        return;
    }
    clock_format_utc(utc_us, when);
    text_json_string(t, when);
}

#include "report.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void problem_deinit(struct problem *problem)
{
    free(problem->file);
    free(problem->key);
    free(problem->message);
}

void problems_deinit(struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        problem_deinit(&problems->items[i]);
    free(problems->items);
    *problems = (struct problems){0};
}

size_t problems_errors(const struct problems *problems)
{
    size_t errors = 0;

    for (size_t i = 0; i < problems->count; i++)
        errors += !problems->items[i].warning;
    return errors;
}

void problems_drop_warnings(struct problems *problems)
{
    struct problem *smaller;
    size_t kept = 0;

    for (size_t i = 0; i < problems->count; i++)
        if (problems->items[i].warning)
            problem_deinit(&problems->items[i]);
        else
            problems->items[kept++] = problems->items[i];
    problems->count = kept;
    smaller = realloc(problems->items, (kept + 1) * sizeof *smaller);
    if (smaller)
        problems->items = smaller;
}

static bool control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

/* A file's name may hold what a terminal would obey. */
static void print_plain(const char *s, FILE *to)
{
    for (; *s; s++)
        putc(control(*s) ? '?' : *s, to);
}

void problems_print(const struct problems *problems, FILE *to)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *p = &problems->items[i];

        print_plain(p->file, to);
        if (p->line > 0)
            fprintf(to, ":%d:%d", p->line, p->column);
        fprintf(to, ": %s: ", p->warning ? "warning" : "error");
        if (p->key) {
            print_plain(p->key, to);
            fputs(": ", to);
        }
        fprintf(to, "%s\n", p->message);
    }
}

static int compare(const void *a, const void *b)
{
    const struct problem *x = a, *y = b;
    int order = strcmp(x->file, y->file);

    if (order == 0)
        order = (x->line > y->line) - (x->line < y->line);
    return order != 0 ? order : (x->column > y->column) - (x->column < y->column);
}

void problems_sort(struct problems *problems, size_t begin)
{
    if (problems->count > begin)
        qsort(problems->items + begin, problems->count - begin, sizeof *problems->items, compare);
}

/* No spare room is kept: the list may have been put together elsewhere. */
static bool make_room(struct problems *problems)
{
    struct problem *grown = realloc(problems->items, (problems->count + 1) * sizeof *grown);

    if (grown)
        problems->items = grown;
    return grown != NULL;
}

/* Without memory the problem is not listed, but still counted: the file is refused all the same. */
static void add(struct report *report, bool warning, struct place at, const char *key,
                const char *message)
{
    struct problem problem = {
        .warning = warning,
        .file = strdup(report->file),
        .line = at.line,
        .column = at.column,
        .key = key ? strdup(key) : NULL,
        .message = strdup(message),
    };

    if (problem.file && problem.message && (problem.key || !key) && make_room(report->problems))
        report->problems->items[report->problems->count++] = problem;
    else
        problem_deinit(&problem);
}

static void keep_first(struct report *report, struct place at, const char *key, const char *message)
{
    struct text t = {0};

    if (key)
        text_appendf(&t, "%s: ", key);
    text_append(&t, message);
    report->first = text_take(&t);
    report->first_line = at.line;
}

void report_deinit(struct report *report)
{
    free(report->first);
    report->first = NULL;
}

bool report_full(const struct report *report)
{
    return report->errors > REPORT_MOST;
}

/* The message, on one line whatever the paths in it hold, a tab for one; NULL: no memory. */
__attribute__((format(printf, 1, 0))) static char *message_of(const char *format, va_list arguments)
{
    char *message;

    if (vasprintf(&message, format, arguments) < 0)
        return NULL;
    for (char *c = message; *c; c++)
        if (control(*c))
            *c = '?';
    return message;
}

void report_error(struct report *report, struct place at, const char *key, const char *format, ...)
{
    CLEANUP(freep) char *message = NULL;
    const char *told = "out of memory";
    va_list arguments;

    if (report_full(report))
        return;
    if (report->errors++ == REPORT_MOST) {
        add(report, false, at, NULL, "too many errors; the rest of the file is left unread");
        return;
    }
    va_start(arguments, format);
    message = message_of(format, arguments);
    va_end(arguments);
    if (message)
        told = message;
    if (report->errors == 1)
        keep_first(report, at, key, told);
    add(report, false, at, key, told);
}

void report_warning(struct report *report, struct place at, const char *key, const char *format,
                    ...)
{
    CLEANUP(freep) char *message = NULL;
    va_list arguments;

    if (report->warnings++ >= REPORT_MOST)
        return;
    va_start(arguments, format);
    message = message_of(format, arguments);
    va_end(arguments);
    if (message)
        add(report, true, at, key, message);
}

const char *shorten(char out[static QUOTE_SIZE - 1], const char *text)
{
    const size_t most = QUOTE_SIZE - 4 - 3 - 3; /* one more escape, dots, quotes and the NUL */
    size_t n = 0;

    for (; *text && n < most; text++) {
        if (control(*text))
            n += (size_t)snprintf(out + n, QUOTE_SIZE - 1 - n, "\\x%02x", (unsigned char)*text);
        else
            out[n++] = *text;
    }
    out[n] = '\0';
    if (*text == '\0')
        return out;
    while (n > 0 && (*text & 0xc0) == 0x80) { /* back to the start of a character */
        text--;
        n--;
    }
    memcpy(out + n, "...", 4);
    return out;
}

const char *quote(char out[static QUOTE_SIZE], const char *text)
{
    size_t n;

    shorten(out + 1, text);
    n = strlen(out + 1);
    out[0] = out[n + 1] = '"';
    out[n + 2] = '\0';
    return out;
}

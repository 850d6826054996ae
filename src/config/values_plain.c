/* values_plain - types that are one word or number each. */
#include "base/cleanup.h"
#include "base/nearest.h"
#include "base/units.h"
#include "loading.h"
#include "model/exit_cause.h"
#include "path.h"
#include "values.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

const struct choice yes_or_no[] = {{"no", false, false}, {"yes", true, false}, {0}};

/* ---- text, path ---- */

static void set_text(const struct setting *s)
{
    if (strlen(s->text) > (size_t)s->field->max)
        setting_refuse(s, 0, "expected at most %lld bytes; there are %zu", (long long)s->field->max,
                       strlen(s->text));
    else
        setting_put_string(s, strdup(s->text));
}

const struct value_type type_text = {
    .name = "text", .expects = "text", .set = set_text, .same = same_string, .may_be_empty = true};

static void set_path(const struct setting *s)
{
    CLEANUP(freep) char *path = path_absolute(s->loading->folder, s->text);
    const char *fault = path ? path_fault(path, (size_t)s->field->max) : NULL;

    if (fault)
        setting_refuse(s, 0, "no such path can be made: %s", fault);
    else
        setting_put_string(s, take(path));
}

const struct value_type type_path = {
    .name = "path", .expects = "a path", .set = set_path, .same = same_string};

/* ---- words ---- */

static void refuse_word(const struct setting *s)
{
    struct nearest best = {.typed = s->text};
    CLEANUP(text_deinit) struct text t = {0};

    field_expects(s->field, &t);
    for (const struct choice *c = s->field->choices; c->word; c++)
        if (!c->later)
            nearest_offer(&best, c->word);
    if (best.word)
        text_appendf(&t, "; did you mean \"%s\"?", best.word);
    setting_refuse(s, 0, "got %s; expected %s", QUOTED(s->text), t.data ? t.data : "another");
}

static const struct choice *find_choice(const struct setting *s)
{
    CLEANUP(text_deinit) struct text t = {0};
    const struct choice *c = s->field->choices;

    while (c->word && strcmp(c->word, s->text) != 0)
        c++;
    if (!c->word) {
        refuse_word(s);
        return NULL;
    }
    if (!c->later)
        return c;
    field_expects(s->field, &t);
    setting_refuse(s, 0, "\"%s\" is not built into this version; expected %s", c->word,
                   t.data ? t.data : "another");
    return NULL;
}

static void set_word(const struct setting *s)
{
    const struct choice *choice = find_choice(s);

    if (choice && s->field->offset != NOWHERE)
        *(int *)setting_target(s) = choice->value;
}

static void set_truth(const struct setting *s)
{
    const struct choice *choice = find_choice(s);

    if (choice && s->field->offset != NOWHERE)
        *(bool *)setting_target(s) = choice->value;
}

const struct value_type type_word = {
    .name = "word", .expects = "a word", .set = set_word, .same = same_word};
const struct value_type type_truth = {
    .name = "word", .expects = "a word", .set = set_truth, .same = same_truth};

/* ---- numbers ---- */

static void set_number(const struct setting *s, int (*parse)(const char *, int64_t *))
{
    int64_t value;

    if (parse(s->text, &value) < 0 || value < s->field->min || value > s->field->max)
        setting_expected(s);
    else
        *(int64_t *)setting_target(s) = value;
}

static void set_int(const struct setting *s)
{
    set_number(s, units_parse_int);
}

static void set_duration(const struct setting *s)
{
    set_number(s, units_parse_duration);
}

static void set_size(const struct setting *s)
{
    set_number(s, units_parse_size);
}

static void format_int(int64_t value, char *text)
{
    snprintf(text, UNITS_TEXT_SIZE, "%lld", (long long)value);
}

const struct value_type type_number = {
    .name = "number",
    .expects = "a whole number",
    .format = format_int,
    .set = set_int,
    .same = same_number,
};
const struct value_type type_duration = {.name = "duration",
                                         .expects = "a duration such as 500ms, 30s or 5m",
                                         .format = units_format_duration,
                                         .set = set_duration,
                                         .same = same_number};
const struct value_type type_size = {.name = "size",
                                     .expects = "a size such as 4096, 64K or 10M",
                                     .format = units_format_size,
                                     .set = set_size,
                                     .same = same_number};

/* ---- signal, umask ---- */

static const char *nearest_signal(const char *typed)
{
    struct nearest best = {.typed = strncasecmp(typed, "SIG", 3) == 0 ? typed + 3 : typed};

    for (int i = 1; i < SIGRTMIN; i++)
        if (sigabbrev_np(i))
            nearest_offer(&best, sigabbrev_np(i));
    return best.word;
}

static void set_signal(const struct setting *s)
{
    int number = signal_parse(s->text);
    const char *near = number < 0 ? nearest_signal(s->text) : NULL;

    if (number > 0)
        *(int *)setting_target(s) = number;
    else if (near)
        setting_refuse(s, 0, "there is no signal %s; did you mean \"%s\"?", QUOTED(s->text), near);
    else
        setting_expected(s);
}

const struct value_type type_signal = {
    .name = "signal", .expects = "a signal such as TERM, INT or QUIT", .set = set_signal};

/* Nothing can take these two up, so they ask for nothing. */
static void set_reload_signal(const struct setting *s)
{
    int number = signal_parse(s->text);

    if (number == SIGKILL || number == SIGSTOP)
        setting_refuse(s, 0, "no program can take %s up", QUOTED(s->text));
    else
        set_signal(s);
}

const struct value_type type_reload_signal = {
    .name = "signal", .expects = "a signal such as HUP or USR1", .set = set_reload_signal};

static void set_umask(const struct setting *s)
{
    size_t len = strlen(s->text);
    unsigned mask = 0;

    if (len < 1 || len > 4 || strspn(s->text, "01234567") != len ||
        sscanf(s->text, "%o", &mask) != 1 || mask > 0777)
        setting_expected(s);
    else
        *(mode_t *)setting_target(s) = (mode_t)mask;
}

const struct value_type type_umask = {
    .name = "octal", .expects = "an octal number from 0 to 0777, such as 022", .set = set_umask};

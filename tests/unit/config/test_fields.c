#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "loading.h"
#include "scratch.h"
#include "values.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Reads text as a file of kind. */
static void read_text(const struct file_kind *kind, void *record, const char *text,
                      struct problems *problems)
{
    struct report report = {.problems = problems, .file = "f"};
    struct loading l = {.kind = kind, .record = record, .report = &report, .folder = "/base"};
    char *copy = strdup(text);

    assert_non_null(copy);
    loading_read(&l, copy, strlen(copy));
    loading_deinit(&l);
    report_deinit(&report);
    free(copy);
}

static void read_kind(const struct file_kind *kind, const char *text, struct problems *problems)
{
    if (kind == &supervisor_file) {
        struct config *config = calloc(1, sizeof *config);

        assert_non_null(config);
        read_text(kind, config, text, problems);
        config_free(config);
    } else {
        struct service_spec *spec = spec_new("s");

        assert_non_null(spec);
        read_text(kind, spec, text, problems);
        spec_unref(spec);
    }
}

/* A value that this type can't take, whatever the key. */
static char *bad_value(const struct value_type *type)
{
    struct text t = {0};

    if (type == &type_text)
        for (int i = 0; i < 5000; i++)
            text_append(&t, "x");
    else if (type == &type_path)
        text_append(&t, "");
    else if (type == &type_environment_file)
        text_append(&t, "-");
    else
        text_append(&t, "/no-such-thing'here");
    return text_take(&t);
}

static void check_refused(const struct file_kind *kind, const struct field *field,
                          const char *value, const char *says)
{
    struct problems problems = {0};
    char *text;

    assert_true(asprintf(&text, "[%s]\n%s = %s\n", field->section, field->name, value) > 0);
    read_kind(kind, text, &problems);
    if (problems.count != 1 || problems.items[0].line < 1 || problems.items[0].column < 1 ||
        !strstr(problems.items[0].message, says))
        fail_msg("[%s] %s = %s: %zu problems, %s", field->section, field->name, value,
                 problems.count, problems.count ? problems.items[0].message : "none");
    if (problems.items[0].key) {
        assert_string_equal(problems.items[0].key, field->name);
        assert_int_equal(problems.items[0].line, 2);
    }
    free(text);
    problems_deinit(&problems);
}

static void for_each_field(void (*check)(const struct file_kind *, const struct field *))
{
    static const struct file_kind *const kinds[] = {&supervisor_file, &service_file};

    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < kinds[k]->field_count; i++)
            check(kinds[k], &kinds[k]->fields[i]);
}

static void check_bad_value(const struct file_kind *kind, const struct field *field)
{
    char *value = field->later ? strdup("anything") : bad_value(field->type);

    assert_non_null(value);
    check_refused(kind, field, value, field->later ? "not built into this version" : "");
    free(value);
}

static void every_key_refuses_a_value_that_can_not_be_right(void **state)
{
    (void)state;
    for_each_field(check_bad_value);
}

/* In the smallest unit that the type knows. */
static void write_number(const struct field *field, int64_t value, char text[static 32])
{
    if (field->type == &type_cpu)
        field->type->format(value, text);
    else
        snprintf(text, 32, "%lld%s", (long long)value, field->type == &type_duration ? "us" : "");
}

static void check_beyond_range(const struct file_kind *kind, const struct field *field)
{
    char value[32], says[64] = "got \"";

    if (field->later || !field->type->format)
        return;
    write_number(field, field->max + 1, value);
    strcat(says, value);
    check_refused(kind, field, value, says);
    write_number(field, field->min - 1, value);
    check_refused(kind, field, value, "to ");
}

static void every_range_ends_where_it_is_said_to_end(void **state)
{
    (void)state;
    for_each_field(check_beyond_range);
}

static void check_later_choices(const struct file_kind *kind, const struct field *field)
{
    for (const struct choice *c = field->later ? NULL : field->choices; c && c->word; c++)
        if (c->later)
            check_refused(kind, field, c->word, "is not built into this version; expected ");
}

static void words_whose_feature_is_not_built_are_refused(void **state)
{
    (void)state;
    for_each_field(check_later_choices);
}

static void check_entry(const struct file_kind *kind, const struct field *field)
{
    assert_int_equal(field_find(kind, field->section, field->name), field - kind->fields);
    assert_true(section_find(kind, field->section) >= 0);
    if (field->later)
        return;
    assert_non_null(field->type);
    assert_non_null(field->doc);
    if (kind == &supervisor_file) /* what config_needs_restart() compares */
        assert_non_null(field->type->same);
    if (field->type == &type_word || field->type == &type_truth)
        assert_non_null(field->choices);
}

static void the_table_is_whole_and_has_no_key_twice(void **state)
{
    (void)state;
    for_each_field(check_entry);
}

static void the_defaults_in_the_table_are_those_of_a_new_spec(void **state)
{
    struct service_spec *expected = spec_new("s"), *spec = spec_new("s");
    struct problems problems = {0};
    struct report report = {.problems = &problems, .file = "f"};
    struct loading l = {
        .kind = &service_file, .record = spec, .report = &report, .folder = "/base"};

    (void)state;
    loading_defaults(&l);
    assert_int_equal(problems.count, 0);
    assert_true(spec_equal(spec, expected));
    assert_int_equal(spec->stop_signal, expected->stop_signal);
    assert_int_equal(spec->output_target, expected->output_target);
    spec_unref(spec);
    spec_unref(expected);
}

static void a_bad_value_is_answered_with_what_was_expected(void **state)
{
    static const struct {
        const char *text, *says;
    } examples[] = {
        {"[operation]\ntimeout = 30x\n",
         "2:11 timeout: expected a duration such as 500ms, 30s or 5m, from 1ms to 1d; got \"30x\""},
        {"[operation]\nstop_signal = TREM\n",
         "2:15 stop_signal: there is no signal \"TREM\"; did you mean \"TERM\"?"},
        {"[recovery]\nrestart = allways\n",
         "2:11 restart: got \"allways\"; expected always, on-failure or no; did you mean "
         "\"always\"?"},
        {"[service]\ncomand = x\n",
         "2:1 comand: there is no such key in [service]; did you mean \"command\"?"},
        {"[service]\nstop_timeout = 1s\n",
         "2:1 stop_timeout: there is no such key in [service]; it belongs in [operation]"},
        {"[service]\ntimeout = 1s\n",
         "2:1 timeout: there is no such key in [service]; it belongs in [operation] or "
         "[readiness]"},
        {"[servise]\nx = y\n", "1:1 -: there is no section [servise]; did you mean [service]?"},
        {"[health]\nx = y\n", "1:1 -: [health]: health checks are not built into this version"},
        {"[service]\nbackend = sytemd\n",
         "2:11 backend: got \"sytemd\"; expected process or systemd; did you mean \"systemd\"?"},
        {"[service]\nbus = session\n", "2:7 bus: got \"session\"; expected system or user"},
        {"[operation]\non_timeout = kill\n",
         "2:14 on_timeout: got \"kill\"; expected leave or stop"},
        {"[recovery]\non_failure = a\n",
         "2:1 on_failure: a command on failure is not built into this version"},
        {"umask = 1\n", "1:1 umask: this key stands before any [section]"},
        {"[service]\numask = 1\numask = 2\n", "3:1 umask: stands twice; it was set in line 2"},
        {"[log]\n[service]\n[log]\n", "3:1 -: section [log] stands twice; it began in line 1"},
        {"[service]\ncommand = a \\\n  b | c\n",
         "3:5 command: no shell runs here; write sh -c '...', or quote the |"},
        {"[service]\ncommand = a 'b\n", "2:13 command: the quote that opens here is never closed"},
        {"[service]\nrequires = a, b!\n",
         "2:15 requires: \"b!\" is no name: a letter or digit, then letters, digits and _ . @ -"},
        {"[service]\nrequires = a a\n", "2:14 requires: \"a\" stands twice"},
        {"[service]\nenvironment = A=1 1B=2\n",
         "2:15 environment: expected NAME=VALUE; word 2 is none: a value with blanks needs "
         "quotes"},
        {"[service]\nenvironment = A=1 A=2\n", "2:15 environment: A stands twice"},
        {"[service]\nuser = no-such-user\n", "2:8 user: there is no user \"no-such-user\""},
        {"[service]\nsupplementary_groups = no-such-group\n",
         "2:24 supplementary_groups: there is no group \"no-such-group\""},
        {"[service]\nsupplementary_groups = daemon aemon\n",
         "2:31 supplementary_groups: there is no group \"aemon\""},
        {"[operation]\nreload_signal = HPU\n",
         "2:17 reload_signal: there is no signal \"HPU\"; did you mean \"HUP\"?"},
        {"[operation]\nreload_signal = SIGKILL\n",
         "2:17 reload_signal: no program can take \"SIGKILL\" up"},
        {"[operation]\nreload_command = kill -HUP $MAINPID\n",
         "2:28 reload_command: no shell runs here; write sh -c '...', or quote the $"},
        {"[operation]\nreload_command =\n",
         "2:17 reload_command: expected a command: a program and its arguments; got \"\""},
        {"[log]\ntarget = consle\n",
         "2:10 target: got \"consle\"; expected file, console, both or none; did you mean "
         "\"console\"?"},
        {"[limits]\ncpu = 1.2345\n",
         "2:7 cpu: expected a number of processors such as 0.5 or 2, from 0.01 to 4096; got "
         "\"1.2345\""},
        {"[limits]\ncpu = 150%\n",
         "2:7 cpu: expected a number of processors such as 0.5 or 2, from 0.01 to 4096; got "
         "\"150%\""},
        {"[limits]\nmemory = 64K\n",
         "2:10 memory: expected a size such as 4096, 64K or 10M, from 1M to 1048576G; got "
         "\"64K\""},
        {"[limits]\ncore = 1Z\n",
         "2:8 core: expected a size such as 0 or 100M, or unlimited; got \"1Z\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct problems problems = {0};
        const struct problem *p;
        char *got;

        read_kind(&service_file, examples[i].text, &problems);
        assert_int_equal(problems.count, 1);
        p = &problems.items[0];
        assert_true(asprintf(&got, "%d:%d %s: %s", p->line, p->column, p->key ? p->key : "-",
                             p->message) > 0);
        assert_string_equal(got, examples[i].says);
        free(got);
        problems_deinit(&problems);
    }
}

static void good_values_arrive_in_the_spec(void **state)
{
    static const char text[] = "[service]\n"
                               "description = it = works ; really\n"
                               "command = bin/run 'a b' \\\n  c\n"
                               "directory = ./data//x/.\n"
                               "environment = A=1 B=\"x y\" \\\n  C='$z'\n"
                               "environment_file = -env\n"
                               "umask = 0077\n"
                               "tags = web, front\n"
                               "after = b c\n"
                               "autostart = no\n"
                               "[operation]\n"
                               "timeout = 1m\nstop_signal = SIGINT\nqueue_limit = 7\n"
                               "[readiness]\ntype = fd\ntimeout = 1.5s\n"
                               "[recovery]\nrestart = on-failure\nattempts = 3\n"
                               "[log]\nmax_size = 64K\nmax_files = 0\n"
                               "[limits]\nnofile = 16\ncore = 0\noom_score_adjust = 1000\n";
    struct service_spec *s = spec_new("s");
    struct problems problems = {0};

    (void)state;
    read_text(&service_file, s, text, &problems);
    if (problems.count > 0)
        fail_msg("line %d: %s", problems.items[0].line, problems.items[0].message);
    assert_string_equal(s->description, "it = works ; really");
    assert_int_equal(s->argv.count, 3);
    assert_string_equal(s->argv.items[0], "/base/bin/run");
    assert_string_equal(s->argv.items[1], "a b");
    assert_string_equal(s->directory, "/base/data/x");
    assert_int_equal(s->environment.count, 3);
    assert_string_equal(s->environment.items[1], "B=x y");
    assert_string_equal(s->environment.items[2], "C=$z");
    assert_string_equal(s->environment_file, "/base/env");
    assert_true(s->environment_file_optional);
    assert_int_equal(s->umask, 077);
    assert_int_equal(s->tags.count, 2);
    assert_true(string_list_has(&s->after, "c"));
    assert_false(s->autostart);
    assert_int_equal(s->timeout_us, 60 * USEC_PER_SEC);
    assert_int_equal(s->stop_signal, SIGINT);
    assert_int_equal(s->queue_limit, 7);
    assert_int_equal(s->readiness, READINESS_FD);
    assert_int_equal(s->ready_timeout_us, 1500 * USEC_PER_MSEC);
    assert_int_equal(s->restart, RESTART_ON_FAILURE);
    assert_int_equal(s->attempts, 3);
    assert_int_equal(s->log_max_size, 64 << 10);
    assert_int_equal(s->log_max_files, 0);
    assert_int_equal(s->nofile, 16);
    assert_int_equal(s->core, 0);
    assert_true(s->set_oom_score_adjust);
    assert_int_equal(s->oom_score_adjust, 1000);
    spec_unref(s);
}

static void what_is_new_arrives_in_the_spec_too(void **state)
{
    static const char text[] =
        "[operation]\nreload_command = bin/ctl reload 'a b'\ncoalesce = yes\n"
        "[log]\ntarget = both\nstderr = separate\nmax_age = 7d\n"
        "compress = yes\ntimestamps = yes\nwhen_full = drop\n"
        "[limits]\nmemory = 1.5G\ncpu = 1.25\ntasks = 100\n";
    struct service_spec *s = spec_new("s");
    struct problems problems = {0};

    (void)state;
    read_text(&service_file, s, text, &problems);
    if (problems.count > 0)
        fail_msg("line %d: %s", problems.items[0].line, problems.items[0].message);
    assert_string_equal(s->reload_command, "bin/ctl reload 'a b'");
    assert_int_equal(s->reload_argv.count, 3);
    assert_string_equal(s->reload_argv.items[0], "/base/bin/ctl");
    assert_string_equal(s->reload_argv.items[2], "a b");
    assert_int_equal(s->argv.count, 0);
    assert_int_equal(s->reload_signal, 0);
    assert_true(spec_can_reload(s));
    assert_true(s->coalesce);
    assert_int_equal(s->output_target, OUTPUT_BOTH);
    assert_true(s->separate_stderr);
    assert_int_equal(s->log_max_age_us, 7 * 86400 * USEC_PER_SEC);
    assert_true(s->log_compress);
    assert_true(s->log_timestamps);
    assert_int_equal(s->when_full, WHEN_FULL_DROP);
    assert_int_equal(s->memory, INT64_C(3) << 29);
    assert_int_equal(s->cpu_milli, 1250);
    assert_int_equal(s->tasks, 100);
    spec_unref(s);
}

static void processors_are_counted_in_thousandths(void **state)
{
    static const struct {
        const char *text;
        int64_t milli; /* 0: refused */
    } examples[] = {{"1", 1000},       {"0.01", 10}, {"0.5", 500},    {"2.125", 2125},
                    {"4096", 4096000}, {"0.009", 0}, {"4096.001", 0}, {"1.", 0},
                    {".5", 0},         {"1.2.3", 0}, {"-1", 0},       {"99999999999999999999", 0},
                    {"1e3", 0},        {"0x1", 0},   {"1 2", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct service_spec *s = spec_new("s");
        struct problems problems = {0};
        char text[64];

        snprintf(text, sizeof text, "[limits]\ncpu = %s\n", examples[i].text);
        read_text(&service_file, s, text, &problems);
        if (problems.count != (examples[i].milli == 0))
            fail_msg("%s: %zu problems", examples[i].text, problems.count);
        assert_int_equal(s->cpu_milli, examples[i].milli ? examples[i].milli : -1);
        problems_deinit(&problems);
        spec_unref(s);
    }
}

/* Two values of each key that differ. */
static const struct {
    const char *section, *name, *one, *other;
} samples[] = {
    {"service", "description", "a", "b"},
    {"service", "backend", "process", "systemd"},
    {"service", "unit", "a.service", "b.service"},
    {"service", "bus", "system", "user"},
    {"service", "command", "a", "b"},
    {"service", "directory", "/a", "/b"},
    {"service", "environment", "A=1", "A=2"},
    {"service", "environment_file", "/a", "-/a"},
    {"service", "umask", "022", "077"},
    {"service", "tags", "a", "b"},
    {"service", "requires", "a", "b"},
    {"service", "wants", "a", "b"},
    {"service", "after", "a", "b"},
    {"service", "autostart", "yes", "no"},
    {"operation", "timeout", "30s", "31s"},
    {"operation", "stop_signal", "TERM", "INT"},
    {"operation", "stop_timeout", "1s", "2s"},
    {"operation", "reload_signal", "HUP", "USR1"},
    {"operation", "reload_command", "a", "b"},
    {"operation", "queue_limit", "1", "2"},
    {"operation", "coalesce", "no", "yes"},
    {"operation", "on_timeout", "leave", "stop"},
    {"readiness", "type", "fd", "delay"},
    {"readiness", "delay", "1s", "2s"},
    {"readiness", "timeout", "1s", "2s"},
    {"recovery", "restart", "no", "always"},
    {"recovery", "first_delay", "1s", "2s"},
    {"recovery", "max_delay", "1s", "2s"},
    {"recovery", "attempts", "1", "2"},
    {"recovery", "stable_after", "1s", "2s"},
    {"log", "target", "file", "none"},
    {"log", "stderr", "merge", "separate"},
    {"log", "max_size", "1M", "2M"},
    {"log", "max_files", "1", "2"},
    {"log", "max_age", "1d", "2d"},
    {"log", "compress", "no", "yes"},
    {"log", "timestamps", "no", "yes"},
    {"log", "when_full", "drop", "block"},
    {"limits", "memory", "1M", "2M"},
    {"limits", "cpu", "1", "2"},
    {"limits", "tasks", "1", "2"},
    {"limits", "nofile", "16", "17"},
    {"limits", "core", "0", "unlimited"},
    {"limits", "oom_score_adjust", "1000", "999"},
};

static struct service_spec *spec_of(const char *section, const char *name, const char *value)
{
    struct service_spec *spec = spec_new("s");
    struct problems problems = {0};
    char text[128];

    snprintf(text, sizeof text, "[%s]\n%s = %s\n", section, name, value);
    read_text(&service_file, spec, text, &problems);
    if (problems.count > 0)
        fail_msg("%s: %s", text, problems.items[0].message);
    return spec;
}

/* user, group and supplementary_groups are put together from a whole file. */
static bool is_identity(const struct field *field)
{
    return field->type == &type_user || field->type == &type_group || field->type == &type_groups;
}

static void check_when_it_applies(const struct file_kind *kind, const struct field *field)
{
    size_t i = 0;

    if (kind != &service_file || field->later || is_identity(field) || field->offset == NOWHERE)
        return;
    while (i < sizeof samples / sizeof *samples &&
           (strcmp(samples[i].section, field->section) != 0 ||
            strcmp(samples[i].name, field->name) != 0))
        i++;
    if (i == sizeof samples / sizeof *samples)
        fail_msg("[%s] %s has no sample", field->section, field->name);
    struct service_spec *a = spec_of(field->section, field->name, samples[i].one),
                        *b = spec_of(field->section, field->name, samples[i].other);

    if (spec_equal(a, b))
        fail_msg("[%s] %s: a change of it goes unseen", field->section, field->name);
    if (spec_same_instance(a, b) == field->waits)
        fail_msg("[%s] %s: the reference says otherwise when it applies", field->section,
                 field->name);
    spec_unref(a);
    spec_unref(b);
}

static void the_reference_is_right_about_what_waits_for_the_next_start(void **state)
{
    (void)state;
    for_each_field(check_when_it_applies);
}

static void a_program_without_a_slash_is_left_to_path(void **state)
{
    struct service_spec *s = spec_new("s");
    struct problems problems = {0};

    (void)state;
    read_text(&service_file, s, "[service]\ncommand = sleep 5\n", &problems);
    assert_int_equal(problems.count, 0);
    assert_string_equal(s->argv.items[0], "sleep");
    spec_unref(s);
}

static char *help(void)
{
    size_t len = 0;
    char *text = NULL;
    FILE *f = open_memstream(&text, &len);

    assert_non_null(f);
    config_print_help(f);
    fclose(f);
    return text;
}

static char *help_text;

static void check_in_help(const struct file_kind *kind, const struct field *field)
{
    char entry[64];

    (void)kind;
    snprintf(entry, sizeof entry, field->later ? "%s" : "\n  %-20s ", field->name);
    if (!strstr(help_text, entry))
        fail_msg("[%s] %s is not in the reference", field->section, field->name);
}

static void the_reference_names_every_key_in_lines_of_100(void **state)
{
    (void)state;
    help_text = help();
    for_each_field(check_in_help);
    for (const char *line = help_text, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        assert_non_null(end);
        if (end - line > 100)
            fail_msg("%.*s", (int)(end - line), line);
    }
    free(help_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_refuses_a_value_that_can_not_be_right),
        cmocka_unit_test(every_range_ends_where_it_is_said_to_end),
        cmocka_unit_test(words_whose_feature_is_not_built_are_refused),
        cmocka_unit_test(the_table_is_whole_and_has_no_key_twice),
        cmocka_unit_test(the_defaults_in_the_table_are_those_of_a_new_spec),
        cmocka_unit_test(a_bad_value_is_answered_with_what_was_expected),
        cmocka_unit_test(good_values_arrive_in_the_spec),
        cmocka_unit_test(what_is_new_arrives_in_the_spec_too),
        cmocka_unit_test(processors_are_counted_in_thousandths),
        cmocka_unit_test(the_reference_is_right_about_what_waits_for_the_next_start),
        cmocka_unit_test(a_program_without_a_slash_is_left_to_path),
        cmocka_unit_test(the_reference_names_every_key_in_lines_of_100),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

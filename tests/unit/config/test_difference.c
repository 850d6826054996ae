#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

#include <stdlib.h>

static struct config *load(const char *text)
{
    struct scratch s;
    struct config *config;

    scratch_open(&s, text);
    config = scratch_config(&s);
    if (!config)
        fail_msg("%s: %s", text, s.problems.items[0].message);
    scratch_close(&s);
    return config;
}

/* The folders that no text names differ with each file: all are named. */
#define FOLDERS "[daemon]\nservices_dir = /sv\nstate_dir = /s\nruntime_dir = /r\nlog_dir = /l\n"

static void expect_keys(const char *one, const char *other, const char *keys)
{
    struct config *a = load(one), *b = load(other);
    struct string_list found = {0};
    struct text t = {0};

    assert_int_equal(config_needs_restart(a, b, &found), 0);
    for (size_t i = 0; i < found.count; i++)
        text_appendf(&t, i ? " %s" : "%s", found.items[i]);
    assert_string_equal(t.data ? t.data : "", keys);
    text_deinit(&t);
    string_list_clear(&found);
    config_free(a);
    config_free(b);
}

static void the_same_text_waits_for_nothing(void **state)
{
    static const char text[] = FOLDERS "[api]\nlisten = 80\nserver_names = a b\ngroup = 0\n";

    (void)state;
    expect_keys(text, text, "");
}

static void each_key_that_only_a_new_daemon_takes_up_is_named(void **state)
{
    static const struct {
        const char *one, *other, *keys;
    } examples[] = {
        {"workers = 1", "workers = 2", "daemon.workers"},
        {"workers = 0", "", ""},
        {"resume = yes", "resume = no", "daemon.resume"},
        {"log_target = stderr", "log_target = file", "daemon.log_target"},
        {"[api]\nsocket = /a", "[api]\nsocket = /b", "api.socket"},
        {"[api]\ngroup = 0", "", "api.group"},
        {"[api]\nlisten = 80", "[api]\nlisten = 127.0.0.1:80", ""},
        {"[api]\nlisten = 80", "[api]\nlisten = 81", "api.listen"},
        {"", "[api]\nlisten = 81", "api.listen"},
        {"[api]\ntoken_file = /a", "[api]\ntoken_file = /b", "api.token_file"},
        {"[api]\nserver_names = a b", "[api]\nserver_names = a", "api.server_names"},
        {"[api]\nserver_names = a b", "[api]\nserver_names = a c", "api.server_names"},
        {"[api]\nallow_plain_http = yes", "[api]\nlisten = 81", "api.listen api.allow_plain_http"},
        {"[journal]\ndurability = full", "", "journal.durability"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        char *one, *other;

        assert_true(asprintf(&one, FOLDERS "%s\n", examples[i].one) > 0);
        assert_true(asprintf(&other, FOLDERS "%s\n", examples[i].other) > 0);
        expect_keys(one, other, examples[i].keys);
        free(one);
        free(other);
    }
}

static void what_a_reload_applies_is_not_named(void **state)
{
    (void)state;
    expect_keys(FOLDERS,
                "[daemon]\nservices_dir = /other\nstate_dir = /s\nruntime_dir = /r\nlog_dir = /l\n"
                "shutdown_timeout = 2s\nlog_level = debug\n[operations]\ntimeout = 60s\n"
                "queue_limit = 2\nqueue_limit_total = 3\nhistory_count = 4\nhistory_age = 5d\n",
                "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_text_waits_for_nothing),
        cmocka_unit_test(each_key_that_only_a_new_daemon_takes_up_is_named),
        cmocka_unit_test(what_a_reload_applies_is_not_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

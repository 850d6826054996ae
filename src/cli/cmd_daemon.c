/* check, reload-config, version: the configuration and the daemon itself. */
#include "ask.h"
#include "fields.h"
#include "services.h"
#include "subcommands.h"

#include "config/config.h"

#include <string.h>

enum status cmd_check(struct cli *cli)
{
    const struct options *o = &cli->options;
    const char *path = o->count > 1 ? o->words[1] : o->config ? o->config : CONFIG_DEFAULT_PATH;

    if (o->count > 1 && o->config && strcmp(o->config, path) != 0) {
        complain("two files to check, %s and --config %s: name one", path, o->config);
        return STATUS_USAGE;
    }
    return config_check(path, stdout, stderr) ? STATUS_DONE : STATUS_FAILED;
}

/* "changed: backend, frontend"; nothing when there is none. */
static void print_names(const char *word, const json_t *names)
{
    const json_t *name;
    size_t i;

    if (json_array_size(names) == 0)
        return;
    printf("%s: ", word);
    json_array_foreach(names, i, name)
    {
        printf("%s", i > 0 ? ", " : "");
        harmless_print(stdout, json_string_value(name));
    }
    putchar('\n');
}

static void print_reload(const json_t *result)
{
    static const char *const words[] = {"added", "removed", "changed"};
    const json_t *errors = json_object_get(result, "errors"), *error;
    size_t i, named = 0;

    for (i = 0; i < sizeof words / sizeof *words; i++) {
        named += json_array_size(json_object_get(result, words[i]));
        print_names(words[i], json_object_get(result, words[i]));
    }
    if (named == 0)
        puts("no service has changed");
    else
        printf("unchanged: %zu\n", json_array_size(json_object_get(result, "unchanged")));
    print_names("taken up only by a new orderlyd", json_object_get(result, "restart_required"));
    fflush(stdout);
    json_array_foreach(errors, i, error) complain_of_config_error(error);
}

enum status cmd_reload_config(struct cli *cli)
{
    struct answer answer;
    enum status status = ask_path(
        cli, "POST",
        option_given(&cli->options, OPTION_STRICT) ? "/daemon/reload?strict" : "/daemon/reload",
        &answer);

    if (status == STATUS_DONE) {
        if (option_given(&cli->options, OPTION_JSON))
            print_body(&answer);
        else
            print_reload(answer.json);
        if (json_array_size(json_object_get(answer.json, "errors")) > 0)
            status = STATUS_FAILED;
    }
    answer_deinit(&answer);
    return status;
}

static void print_members(const json_t *members, const char *kind)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)members, name, value)
    {
        printf("  ");
        harmless_print(stdout, name);
        printf("%s: ", kind);
        if (json_is_string(value))
            harmless_print(stdout, json_string_value(value));
        else
            printf("%s", json_is_true(value) ? "yes" : "no");
        putchar('\n');
    }
}

enum status cmd_version(struct cli *cli)
{
    bool json = option_given(&cli->options, OPTION_JSON);
    struct answer answer;
    enum status status;

    if (!json) {
        puts("orderlyctl " ORDERLY_VERSION);
        fflush(stdout);
    }
    status = ask_path(cli, "GET", "/version", &answer);
    if (status == STATUS_DONE && json) {
        print_body(&answer);
    } else if (status == STATUS_DONE) {
        printf("orderlyd ");
        harmless_print(stdout, field_string(answer.json, "version"));
        putchar('\n');
        print_members(json_object_get(answer.json, "capabilities"), "");
        print_members(json_object_get(answer.json, "systemd"), " bus");
    }
    answer_deinit(&answer);
    return status;
}

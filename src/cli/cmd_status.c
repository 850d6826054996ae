/* status: a table of the services, or everything about one of them. */
#include "ask.h"
#include "cli.h"
#include "fields.h"
#include "service_text.h"
#include "services.h"
#include "table.h"
#include "when.h"

#include "base/clock.h"

#include <string.h>

static bool is_running(const json_t *service)
{
    return strcmp(field_string(service, "state"), "running") == 0;
}

static void add_row(struct table *table, const json_t *service, int64_t now)
{
    const char *state = field_string(service, "state");
    int64_t since = when_parse(field_string(service, "state_since"));
    struct text note = {0};
    char age[WHEN_TEXT_SIZE] = "-";

    if (since)
        when_rough(now - since, age);
    service_note(service, now, &note);
    table_add(table, COLOUR_NONE, "%s", field_string(service, "name"));
    table_add(table, service_colour(service), "%s", state);
    table_add(table, COLOUR_NONE, "%s", field_true(service, "ready") ? "yes" : "no");
    if (field_given(service, "pid"))
        table_add(table, COLOUR_NONE, "%lld", (long long)field_int(service, "pid"));
    else
        table_add(table, COLOUR_NONE, "-");
    table_add(table, COLOUR_NONE, "%s", age);
    table_add(table, COLOUR_NONE, "%lld", (long long)field_int(service, "restarts"));
    table_add(table, COLOUR_NONE, "%lld", (long long)field_int(service, "queue_length"));
    table_add(table, COLOUR_NONE, "%s", note.data ? note.data : "");
    text_deinit(&note);
}

static void print_table(const struct cli *cli, const json_t *services, int64_t now)
{
    static const char *const headers[] = {"NAME",  "STATE",    "READY", "PID",
                                          "SINCE", "RESTARTS", "QUEUE", "NOTE"};
    struct table table = {.headers = headers, .columns = sizeof headers / sizeof *headers};
    const json_t *service;
    size_t i;

    json_array_foreach(services, i, service) add_row(&table, service, now);
    table_print(&table, &cli->screen);
    table_deinit(&table);
}

static void print_config_errors(const json_t *body)
{
    const json_t *errors = json_object_get(json_object_get(body, "daemon"), "config_errors");
    const json_t *error;
    size_t i;

    fflush(stdout); /* below the table, also when both go to one file */
    json_array_foreach(errors, i, error) complain_of_config_error(error);
}

/* The rows a word stands for go to chosen, each once. */
static enum status choose_word(const json_t *body, const char *word, json_t *chosen)
{
    const json_t *services = json_object_get(body, "services"), *error;
    json_t *service;
    bool found = false;
    size_t i;

    json_array_foreach(services, i, service)
    {
        if (service_is_pattern(word) ? !service_matches(service, word)
                                     : strcmp(field_string(service, "name"), word) != 0)
            continue;
        found = true;
        if (!service_find(chosen, field_string(service, "name")))
            json_array_append(chosen, service);
    }
    if (found)
        return STATUS_DONE;
    error = service_config_error(body, word);
    if (service_is_pattern(word))
        complain(word[0] == '@' ? "no service has the tag \"%s\"" : "no service matches \"%s\"",
                 word[0] == '@' ? word + 1 : word);
    else if (error)
        complain_of_config_error(error);
    else
        complain_of_unknown_service(services, word);
    return error ? STATUS_NOT_RUNNING : STATUS_UNKNOWN;
}

/* What the words ask for: everything without one. */
static enum status choose(const struct cli *cli, const json_t *body, json_t *chosen)
{
    enum status status = STATUS_DONE;
    json_t *service;
    size_t i;

    for (i = 1; i < cli->options.count; i++) {
        enum status one = choose_word(body, cli->options.words[i], chosen);

        status = one > status ? one : status;
    }
    if (status == STATUS_DONE && cli->options.count > 1)
        json_array_foreach(chosen, i, service) if (!is_running(service)) status =
            STATUS_NOT_RUNNING;
    if (cli->options.count == 1)
        json_array_extend(chosen, json_object_get(body, "services"));
    return status;
}

static void print_json(const struct cli *cli, const struct answer *answer, const json_t *chosen)
{
    if (cli->options.count == 1) {
        print_body(answer);
        return;
    }
    json_dumpf(chosen, stdout, JSON_COMPACT);
    putchar('\n');
}

static enum status show_many(struct cli *cli)
{
    struct answer answer;
    enum status status = ask_path(cli, "GET", "/status", &answer);
    json_t *chosen = json_array();

    if (status != STATUS_DONE || !chosen)
        goto out;
    status = choose(cli, answer.json, chosen);
    if (option_given(&cli->options, OPTION_JSON))
        print_json(cli, &answer, chosen);
    else if (json_array_size(chosen) > 0)
        print_table(cli, chosen, clock_utc_us());
    else if (cli->options.count == 1)
        puts("there are no services");
    if (!option_given(&cli->options, OPTION_JSON) && cli->options.count == 1)
        print_config_errors(answer.json);
out:
    json_decref(chosen);
    answer_deinit(&answer);
    return status;
}

static enum status show_one(struct cli *cli, const char *name)
{
    struct text path = {0};
    struct answer answer;
    enum status status;

    if (!check_name(name))
        return STATUS_UNKNOWN;
    text_append(&path, "/status/");
    path_append(&path, name);
    status = ask(cli, "GET", &path, &answer);
    text_deinit(&path);
    if (status == STATUS_DONE) {
        if (option_given(&cli->options, OPTION_JSON))
            print_body(&answer);
        else
            service_print(answer.json, clock_utc_us(), &cli->screen);
        status = is_running(answer.json) ? STATUS_DONE : STATUS_NOT_RUNNING;
    }
    answer_deinit(&answer);
    return status;
}

enum status cmd_status(struct cli *cli)
{
    const struct options *o = &cli->options;

    if (o->count == 2 && !service_is_pattern(o->words[1]))
        return show_one(cli, o->words[1]);
    return show_many(cli);
}

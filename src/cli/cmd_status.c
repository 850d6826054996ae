/* status: a table of the services, or everything about one of them. */
#include "ask.h"
#include "cli.h"
#include "fields.h"
#include "service_text.h"
#include "services.h"
#include "subcommands.h"
#include "table.h"
#include "when.h"

#include "base/clock.h"

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

/* A service whose file is refused does not run. */
static enum status judge(enum status status, const json_t *chosen)
{
    const json_t *service;
    size_t i;

    if (status == STATUS_REFUSED)
        status = STATUS_NOT_RUNNING;
    json_array_foreach(chosen, i, service) if (!service_is_running(service)) status =
        status_worse(status, STATUS_NOT_RUNNING);
    return status;
}

static void show_rows(const struct cli *cli, const json_t *body, const json_t *chosen)
{
    if (json_array_size(chosen) > 0)
        print_table(cli, chosen, clock_utc_us());
    else if (cli->options.count == 1)
        puts("there are no services");
    if (cli->options.count == 1)
        print_config_errors(body);
}

static enum status show_all(struct cli *cli)
{
    struct answer answer;
    enum status status = ask_path(cli, "GET", "/status", &answer);
    const json_t *services = json_object_get(answer.json, "services");

    if (status == STATUS_DONE && option_given(&cli->options, OPTION_JSON))
        print_body(&answer);
    else if (status == STATUS_DONE)
        show_rows(cli, answer.json, services);
    if (status == STATUS_DONE && option_given(&cli->options, OPTION_ALL))
        status = judge(status, services);
    answer_deinit(&answer);
    return status;
}

/* Nothing is printed of what was not found: an empty list is not the answer to a wrong name. */
static enum status show_many(struct cli *cli)
{
    const struct options *o = &cli->options;
    struct answer answer;
    json_t *chosen;
    enum status status = services_ask(cli, o->words + 1, o->count - 1, &answer, &chosen);

    if (json_array_size(chosen) > 0 && option_given(o, OPTION_JSON)) {
        json_dumpf(chosen, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (json_array_size(chosen) > 0) {
        show_rows(cli, answer.json, chosen);
    }
    if (chosen)
        status = judge(status, chosen);
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
        status = service_is_running(answer.json) ? STATUS_DONE : STATUS_NOT_RUNNING;
    } else if (status == STATUS_REFUSED) {
        status = STATUS_NOT_RUNNING; /* its file is refused: it does not run */
    }
    answer_deinit(&answer);
    return status;
}

enum status cmd_status(struct cli *cli)
{
    const struct options *o = &cli->options;

    if (o->count == 1)
        return show_all(cli);
    if (o->count == 2 && !service_is_pattern(o->words[1]))
        return show_one(cli, o->words[1]);
    return show_many(cli);
}

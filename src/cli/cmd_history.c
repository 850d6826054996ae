/* history: operations of late, newest first. */
#include "ask.h"
#include "fields.h"
#include "record.h"
#include "services.h"
#include "subcommands.h"

#include <inttypes.h>
#include <stdlib.h>

#define DEFAULT_COUNT 20
#define MOST          1000 /* as many as the daemon gives at once */

static int64_t count_of(const struct options *o)
{
    return option_given(o, OPTION_LINES) ? o->lines : DEFAULT_COUNT;
}

/* service NULL: of all. */
static enum status fetch(struct cli *cli, const char *service, struct answer *ret_answer)
{
    struct text path = {0};
    enum status status;

    text_appendf(&path, "/operations?limit=%" PRId64, count_of(&cli->options));
    if (service) {
        text_append(&path, "&service=");
        path_append(&path, service);
    }
    status = ask(cli, "GET", &path, ret_answer);
    text_deinit(&path);
    return status;
}

static void print_list(const struct cli *cli, const json_t *list)
{
    if (json_array_size(list) == 0)
        puts("no operations yet");
    else
        record_print_history(list, &cli->screen);
}

static enum status show_history_of(struct cli *cli, const char *service)
{
    struct answer answer;
    enum status status = fetch(cli, service, &answer);

    if (status == STATUS_DONE && option_given(&cli->options, OPTION_JSON))
        print_body(&answer);
    else if (status == STATUS_DONE)
        print_list(cli, record_list(answer.json));
    answer_deinit(&answer);
    return status;
}

static int newest_first(const void *a, const void *b)
{
    int64_t first = field_int(*(json_t *const *)a, "id");
    int64_t second = field_int(*(json_t *const *)b, "id");

    return (first < second) - (first > second);
}

/* The newest of list, as many as are wanted; the caller's. NULL without memory. */
static json_t *newest(const json_t *list, size_t wanted)
{
    size_t count = json_array_size(list);
    json_t **sorted = calloc(count + 1, sizeof(json_t *)), *kept = json_array();

    for (size_t i = 0; sorted && i < count; i++)
        sorted[i] = json_array_get(list, i);
    if (sorted)
        qsort(sorted, count, sizeof(json_t *), newest_first);
    for (size_t i = 0; sorted && kept && i < count && i < wanted; i++)
        json_array_append(kept, sorted[i]);
    free(sorted);
    return kept;
}

/* The daemon tells the history of one service at a time. */
static enum status gather(struct cli *cli, const json_t *chosen, json_t *list)
{
    enum status status = STATUS_DONE;
    const json_t *service;
    size_t i;

    json_array_foreach(chosen, i, service)
    {
        struct answer answer;

        status = fetch(cli, field_string(service, "name"), &answer);
        if (status == STATUS_DONE && json_array_extend(list, record_list(answer.json)) < 0)
            status = STATUS_FAILED;
        answer_deinit(&answer);
        if (status != STATUS_DONE)
            break;
    }
    return status;
}

static enum status show_history_of_many(struct cli *cli)
{
    const struct options *o = &cli->options;
    json_t *chosen, *list = json_array(), *kept = NULL;
    struct answer answer;
    enum status status = services_ask(cli, o->words + 1, o->count - 1, &answer, &chosen);

    if (status == STATUS_DONE)
        status = gather(cli, chosen, list);
    if (status == STATUS_DONE)
        kept = newest(list, (size_t)count_of(o));
    if (kept && option_given(o, OPTION_JSON)) {
        json_dumpf(kept, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (kept) {
        print_list(cli, kept);
    }
    json_decref(kept);
    json_decref(list);
    json_decref(chosen);
    answer_deinit(&answer);
    return status;
}

enum status cmd_history(struct cli *cli)
{
    const struct options *o = &cli->options;

    if (option_given(o, OPTION_LINES) && (o->lines < 1 || o->lines > MOST)) {
        complain("-n: from 1 to %d operations at once", MOST);
        return STATUS_USAGE;
    }
    if (o->count == 1)
        return show_history_of(cli, NULL);
    if (o->count > 2 || service_is_pattern(o->words[1]))
        return show_history_of_many(cli);
    return check_name(o->words[1]) ? show_history_of(cli, o->words[1]) : STATUS_UNKNOWN;
}

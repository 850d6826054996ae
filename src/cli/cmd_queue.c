/* queue: operations that have not ended. */
#include "ask.h"
#include "fields.h"
#include "record.h"
#include "services.h"
#include "subcommands.h"

#include <stdlib.h>

#define PAGE 1000 /* as many as the daemon gives at once */

static void build_path(struct text *path, const char *service, const char *state, int64_t before)
{
    text_appendf(path, "/operations?limit=%d&state=%s", PAGE, state);
    if (before > 0)
        text_appendf(path, "&before=%lld", (long long)before);
    if (service) {
        text_append(path, "&service=");
        path_append(path, service);
    }
}

/* Appends every operation in that state to list, page by page. */
static enum status fetch_all(struct cli *cli, const char *service, const char *state, json_t *list)
{
    int64_t before = 0;

    for (;;) {
        struct text path = {0};
        struct answer answer;
        enum status status;
        json_t *page;
        size_t count;

        build_path(&path, service, state, before);
        status = ask(cli, "GET", &path, &answer);
        text_deinit(&path);
        page = record_list(answer.json);
        count = json_array_size(page);
        if (count > 0)
            before = field_int(json_array_get(page, count - 1), "id");
        if (status == STATUS_DONE && page && json_array_extend(list, page) < 0)
            status = STATUS_FAILED;
        answer_deinit(&answer);
        if (status != STATUS_DONE || count < PAGE || before <= 0)
            return status;
    }
}

static int by_id(const void *a, const void *b)
{
    int64_t first = field_int(*(json_t *const *)a, "id");
    int64_t second = field_int(*(json_t *const *)b, "id");

    return (first > second) - (first < second);
}

/* In the order in which they were accepted, each once: what began between the two questions is an
 * answer to both. NULL without memory. */
static json_t *in_order(const json_t *list)
{
    size_t count = json_array_size(list);
    json_t **sorted = calloc(count + 1, sizeof(json_t *)), *ordered = json_array();

    for (size_t i = 0; sorted && i < count; i++)
        sorted[i] = json_array_get(list, i);
    if (sorted)
        qsort(sorted, count, sizeof(json_t *), by_id);
    for (size_t i = 0; sorted && i < count; i++)
        if (i == 0 || by_id(&sorted[i - 1], &sorted[i]) != 0)
            json_array_append(ordered, sorted[i]);
    if (!sorted) {
        json_decref(ordered);
        ordered = NULL;
    }
    free(sorted);
    return ordered;
}

static void print_queue(const struct cli *cli, const json_t *list)
{
    if (option_given(&cli->options, OPTION_JSON)) {
        json_dumpf(list, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (json_array_size(list) == 0) {
        puts("nothing is queued");
    } else {
        record_print_queue(list, &cli->screen);
    }
}

/* Of all that is there, what belongs to one of the chosen services. */
static json_t *only_of(const json_t *list, const json_t *chosen)
{
    json_t *kept = json_array(), *record;
    size_t i;

    json_array_foreach(list, i, record)
    {
        if (kept && service_find(chosen, field_string(record, "service")))
            json_array_append(kept, record);
    }
    return kept;
}

/* *ret_list: the operations in order, the caller's. */
static enum status fetch_queue(struct cli *cli, const char *service, json_t **ret_list)
{
    json_t *found = json_array();
    enum status status = found ? fetch_all(cli, service, "running", found) : STATUS_FAILED;

    *ret_list = NULL;
    if (status == STATUS_DONE)
        status = fetch_all(cli, service, "queued", found);
    if (status == STATUS_DONE)
        *ret_list = in_order(found);
    if (status == STATUS_DONE && !*ret_list)
        status = STATUS_FAILED;
    json_decref(found);
    return status;
}

static enum status show_queue_of(struct cli *cli, const char *service)
{
    json_t *list;
    enum status status = fetch_queue(cli, service, &list);

    if (list)
        print_queue(cli, list);
    json_decref(list);
    return status;
}

static enum status show_queue_of_many(struct cli *cli)
{
    const struct options *o = &cli->options;
    json_t *list = NULL, *chosen, *kept = NULL;
    struct answer answer;
    enum status status = services_ask(cli, o->words + 1, o->count - 1, &answer, &chosen);

    if (status == STATUS_DONE)
        status = fetch_queue(cli, NULL, &list);
    if (list)
        kept = only_of(list, chosen);
    if (kept)
        print_queue(cli, kept);
    json_decref(kept);
    json_decref(list);
    json_decref(chosen);
    answer_deinit(&answer);
    return status;
}

enum status cmd_queue(struct cli *cli)
{
    const struct options *o = &cli->options;

    if (o->count == 1)
        return show_queue_of(cli, NULL);
    if (o->count > 2 || service_is_pattern(o->words[1]))
        return show_queue_of_many(cli);
    return check_name(o->words[1]) ? show_queue_of(cli, o->words[1]) : STATUS_UNKNOWN;
}

/* queue, wait, cancel: operations that have not ended. */
#include "ask.h"
#include "cli.h"
#include "fields.h"
#include "record.h"
#include "wait.h"

#include "base/clock.h"
#include "base/units.h"

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

enum status cmd_queue(struct cli *cli)
{
    const char *name = cli->options.count > 1 ? cli->options.words[1] : NULL;
    json_t *found, *ordered = NULL;
    enum status status;

    if (name && !check_name(name))
        return STATUS_UNKNOWN;
    found = json_array();
    status = fetch_all(cli, name, "running", found);
    if (status == STATUS_DONE)
        status = fetch_all(cli, name, "queued", found);
    if (status == STATUS_DONE)
        ordered = in_order(found);
    if (ordered)
        print_queue(cli, ordered);
    else if (status == STATUS_DONE)
        status = STATUS_FAILED;
    json_decref(ordered);
    json_decref(found);
    return status;
}

/* 0, and said: the word is not the number of an operation. */
static int64_t parse_id(const char *word)
{
    int64_t id;

    if (units_parse_int(word, &id) == 0 && id > 0)
        return id;
    complain("\"%s\" is not the number of an operation, a whole number above 0", word);
    return 0;
}

enum status cmd_wait(struct cli *cli)
{
    const struct options *o = &cli->options;
    bool json = option_given(o, OPTION_JSON);
    int64_t until = option_given(o, OPTION_TIMEOUT) ? clock_mono_us() + o->timeout_us : CLOCK_NEVER;
    struct pending pending = {.id = parse_id(o->words[1])};
    struct progress progress;
    enum status status = pending.id ? ask_open(cli) : STATUS_USAGE;

    if (status != STATUS_DONE)
        return status;
    if (progress_init(&progress, &cli->screen, 1, json) < 0)
        return STATUS_FAILED;
    wait_for(cli, &pending, 1, &progress, until);
    pending_complain(cli, &pending, 1);
    if (json)
        pending_print_json(&pending, 1, false);
    pending_deinit(&pending);
    progress_deinit(&progress);
    return pending.status;
}

/* A refusal may show the operation as it is: it has not been cancelled all the same. */
static enum status cancel_outcome(const struct cli *cli, const struct answer *answer)
{
    struct text line = {0};

    record_line(answer->json, &line);
    if (answer->http == 409)
        complain("it cannot be cancelled any more: %s", line.data ? line.data : "");
    else if (!option_given(&cli->options, OPTION_JSON))
        puts(line.data ? line.data : "");
    text_deinit(&line);
    if (option_given(&cli->options, OPTION_JSON))
        print_body(answer);
    return answer->http == 409 ? STATUS_REFUSED : STATUS_DONE;
}

enum status cmd_cancel(struct cli *cli)
{
    int64_t id = parse_id(cli->options.words[1]);
    struct text path = {0};
    struct answer answer;
    enum status status;

    if (!id)
        return STATUS_USAGE;
    text_appendf(&path, "/operations/%lld", (long long)id);
    status = ask(cli, "DELETE", &path, &answer);
    if (status == STATUS_DONE)
        status = cancel_outcome(cli, &answer);
    answer_deinit(&answer);
    text_deinit(&path);
    return status;
}

/* wait, cancel: operations by their numbers. */
#include "ask.h"
#include "fields.h"
#include "record.h"
#include "subcommands.h"
#include "wait.h"

#include "base/clock.h"

/* Every word must be a number before anything is done. */
static bool check_ids(const struct options *o)
{
    for (size_t i = 1; i < o->count; i++)
        if (parse_id(o->words[i]) == 0)
            return false;
    return true;
}

enum status cmd_wait(struct cli *cli)
{
    const struct options *o = &cli->options;
    int64_t until = option_given(o, OPTION_TIMEOUT) ? clock_mono_us() + o->timeout_us : CLOCK_NEVER;
    enum status status = check_ids(o) ? ask_open(cli) : STATUS_USAGE;
    struct waiting w;

    if (status != STATUS_DONE)
        return status;
    status = waiting_init(&w, cli, o->count - 1);
    for (size_t i = 0; status == STATUS_DONE && i < w.count; i++)
        w.items[i].id = parse_id(o->words[i + 1]);
    if (status == STATUS_DONE) {
        waiting_wait(&w, until);
        status = waiting_finish(&w);
    }
    waiting_deinit(&w);
    return status;
}

/* The record as it is now. */
static void say_outcome(const struct cli *cli, const struct answer *answer)
{
    struct text line = {0};

    record_line(answer->json, &line);
    if (!option_given(&cli->options, OPTION_JSON))
        puts(line.data ? line.data : "");
    text_deinit(&line);
}

static enum status cancel(struct cli *cli, int64_t id, json_t *results)
{
    struct text path = {0};
    struct answer answer;
    enum status status;

    text_appendf(&path, "/operations/%lld", (long long)id);
    status = ask(cli, "DELETE", &path, &answer);
    if (status == STATUS_DONE) {
        say_outcome(cli, &answer);
        if (json_array_append(results, answer.json) < 0)
            status = STATUS_FAILED;
    }
    answer_deinit(&answer);
    text_deinit(&path);
    return status;
}

enum status cmd_cancel(struct cli *cli)
{
    const struct options *o = &cli->options;
    json_t *results = json_array();
    enum status status = results ? STATUS_DONE : STATUS_FAILED;

    if (!check_ids(o))
        status = STATUS_USAGE;
    for (size_t i = 1; i < o->count && status != STATUS_USAGE && status != STATUS_UNREACHABLE; i++)
        status = status_worse(status, cancel(cli, parse_id(o->words[i]), results));
    if (option_given(o, OPTION_JSON) && json_array_size(results) > 0) {
        json_dumpf(o->count == 2 ? json_array_get(results, 0) : results, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_decref(results);
    return status;
}

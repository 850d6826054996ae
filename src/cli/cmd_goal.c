/* goal: what is wanted of services; an operation only for those that need one. */
#include "ask.h"
#include "fields.h"
#include "operate.h"
#include "services.h"
#include "subcommands.h"

#include <string.h>

static void build(const struct options *o, const char *name, struct text *path, struct text *body)
{
    text_append(path, "/goal/");
    path_append(path, name);
    text_appendf(body, "{\"goal\":\"%s\"", o->words[1]);
    operate_parameters(o, body);
    text_append(body, "}");
}

/* STATUS_DONE: the daemon can be asked for more. */
static enum status put(struct waiting *w, size_t index, const char *name)
{
    struct text path = {0}, body = {0};
    struct answer answer;
    enum status status;

    build(&w->cli->options, name, &path, &body);
    status = operate_ask(w->cli, "PUT", &path, &body, "goal", &answer);
    text_deinit(&path);
    text_deinit(&body);
    if (status != STATUS_DONE) {
        waiting_end(w, index, status);
        return status;
    }
    waiting_take(w, index, &answer);
    return w->items[index].status == STATUS_DENIED ? STATUS_DENIED : STATUS_DONE;
}

/* One after the other; what was not even asked for ends as the one that failed. */
static void put_all(struct waiting *w, const json_t *chosen)
{
    enum status status = STATUS_DONE;
    const json_t *service;
    size_t i;

    json_array_foreach(chosen, i, service)
    {
        const char *name = field_string(service, "name");

        if (status == STATUS_DONE) {
            status = put(w, i, name);
            continue;
        }
        complain("%s was not asked for", name);
        waiting_end(w, i, status);
    }
}

static enum status run(struct cli *cli, const json_t *chosen)
{
    struct waiting w;
    enum status status = waiting_init(&w, cli, json_array_size(chosen));

    if (status == STATUS_DONE && w.count > 0) {
        put_all(&w, chosen);
        operate_wait(&w);
        status = waiting_finish(&w);
    } else if (status == STATUS_DONE) {
        puts(option_given(&cli->options, OPTION_JSON) ? "[]" : "there are no services");
    }
    waiting_deinit(&w);
    return status;
}

static bool check_options(const struct options *o)
{
    if (strcmp(o->words[1], "up") != 0 && strcmp(o->words[1], "down") != 0)
        complain("\"%s\" is not a goal: up or down, and then the names", o->words[1]);
    else if (o->key && (o->count > 3 || option_given(o, OPTION_ALL)))
        complain("--idempotency-key: a key is for one request, and each goal is a request of its "
                 "own: name one service");
    else
        return operate_check(o);
    return false;
}

enum status cmd_goal(struct cli *cli)
{
    const struct options *o = &cli->options;
    struct answer answer;
    enum status status;
    json_t *chosen;

    if (!check_options(o))
        return STATUS_USAGE;
    status = services_ask(cli, o->words + 2, o->count - 2, &answer, &chosen);
    if (status == STATUS_DONE && o->key && json_array_size(chosen) > 1) {
        complain("--idempotency-key: \"%s\" matches more than one service", o->words[2]);
        status = STATUS_USAGE;
    }
    if (status == STATUS_DONE)
        status = run(cli, chosen);
    json_decref(chosen);
    answer_deinit(&answer);
    return status;
}

/* start, stop, restart, reload, signal: one request, for one service or, as a batch, for several;
 * then they are waited for together. */
#include "ask.h"
#include "fields.h"
#include "operate.h"
#include "record.h"
#include "services.h"
#include "subcommands.h"

#include "model/exit_cause.h"

#include <string.h>

/* What is asked of which services; a pattern of `names` stands for all that it matches. */
struct asked {
    const char *action, *signal;
    const json_t *names; /* strings */
};

/* ---- the names ---- */

static bool add_name(json_t *names, const char *name)
{
    return json_array_append_new(names, json_string(name)) == 0;
}

static bool is_new(const json_t *names, const char *name)
{
    const json_t *each;
    size_t i;

    json_array_foreach(names, i, each) if (strcmp(json_string_value(each), name) == 0) return false;
    return true;
}

/* A pattern among other words may match what another word means as well; each service is meant
 * once. */
static enum status expand_words(struct cli *cli, const char *const *words, size_t count,
                                json_t *names)
{
    struct answer answer;
    json_t *chosen, *service;
    enum status status = services_ask(cli, words, count, &answer, &chosen);
    size_t i;

    json_array_foreach(chosen, i, service)
    {
        if (status == STATUS_DONE && !add_name(names, field_string(service, "name")))
            status = STATUS_FAILED;
    }
    json_decref(chosen);
    answer_deinit(&answer);
    return status;
}

/* What the daemon can be told as it is: one pattern, or plain names. */
static enum status choose_names(struct cli *cli, const char *const *words, size_t count,
                                json_t *names)
{
    size_t patterns = 0;

    for (size_t i = 0; i < count; i++)
        patterns += service_is_pattern(words[i]);
    if (patterns > 0 && count > 1)
        return expand_words(cli, words, count, names);
    for (size_t i = 0; i < count; i++) {
        if (patterns == 0 && !check_name(words[i]))
            return STATUS_UNKNOWN;
        if (is_new(names, words[i]) && !add_name(names, words[i]))
            return STATUS_FAILED;
    }
    return STATUS_DONE;
}

/* ---- the request ---- */

static void append_members(struct text *body, const struct asked *a, const char *name)
{
    text_appendf(body, "{\"action\":\"%s\",\"service\":", a->action);
    text_json_string(body, name);
    if (a->signal) {
        text_append(body, ",\"signal\":");
        text_json_string(body, a->signal);
    }
    text_append(body, "}");
}

static void build_single(const struct options *o, const struct asked *a, const char *name,
                         struct text *path, struct text *body)
{
    struct text members = {0};

    text_appendf(path, "/%s/", a->action);
    path_append(path, name);
    if (a->signal) {
        text_append(&members, ",\"signal\":");
        text_json_string(&members, a->signal);
    }
    operate_parameters(o, &members);
    text_appendf(body, "{%s}", members.data ? members.data + 1 : "");
    body->failed |= members.failed;
    text_deinit(&members);
}

static void build_batch(const struct options *o, const struct asked *a, struct text *path,
                        struct text *body)
{
    const json_t *name;
    size_t i;

    text_append(path, "/operations");
    text_append(body, "{\"operations\":[");
    json_array_foreach(a->names, i, name)
    {
        text_append(body, i > 0 ? "," : "");
        append_members(body, a, json_string_value(name));
    }
    text_append(body, "]");
    operate_parameters(o, body);
    text_append(body, "}");
}

/* ---- asking and waiting ---- */

/* --all of no service at all is done already. */
static bool is_nothing(const struct cli *cli, const struct answer *answer)
{
    return option_given(&cli->options, OPTION_ALL) &&
           strcmp(field_string(answer->json, "code"), "unknown_service") == 0;
}

static enum status take_answer(struct waiting *w, bool batch, struct answer *answer)
{
    enum status status;

    if (batch && is_nothing(w->cli, answer)) {
        if (option_given(&w->cli->options, OPTION_JSON))
            puts("{\"batch\":null,\"operations\":[]}");
        else
            puts("there are no services");
        return STATUS_DONE;
    }
    status = status_of_answer(answer);
    if (status != STATUS_DONE || !answer_is_operation(answer)) {
        complain_of_answer(w->cli, answer);
        return status == STATUS_DONE ? STATUS_FAILED : status;
    }
    if (batch)
        return waiting_take_batch(w, answer);
    status = waiting_init(w, w->cli, 1);
    if (status == STATUS_DONE)
        waiting_take(w, 0, answer);
    return status;
}

static enum status run(struct cli *cli, const struct asked *asked, struct waiting *w)
{
    size_t count = json_array_size(asked->names);
    const char *first = json_string_value(json_array_get(asked->names, 0));
    bool batch = count > 1 || service_is_pattern(first);
    struct text path = {0}, body = {0};
    struct answer answer = {0};
    enum status status;

    if (batch)
        build_batch(&cli->options, asked, &path, &body);
    else
        build_single(&cli->options, asked, first, &path, &body);
    status = operate_ask(cli, "POST", &path, &body, asked->action, &answer);
    if (status == STATUS_DONE)
        status = take_answer(w, batch, &answer);
    answer_deinit(&answer);
    text_deinit(&path);
    text_deinit(&body);
    return status;
}

static enum status operate(struct cli *cli, const char *action, const char *signal)
{
    const struct options *o = &cli->options;
    size_t leading = signal ? 2 : 1;
    static const char *const everything[] = {"*"};
    bool all = option_given(o, OPTION_ALL);
    json_t *names = json_array();
    struct asked asked = {action, signal, names};
    struct waiting w = {.cli = cli};
    enum status status = names ? STATUS_DONE : STATUS_FAILED;

    if (status == STATUS_DONE && !operate_check(o))
        status = STATUS_USAGE;
    if (status == STATUS_DONE)
        status = ask_open(cli);
    if (status == STATUS_DONE)
        status = choose_names(cli, all ? everything : o->words + leading,
                              all ? 1 : o->count - leading, names);
    if (status == STATUS_DONE)
        status = run(cli, &asked, &w);
    if (status == STATUS_DONE && w.count > 0) {
        operate_wait(&w);
        status = waiting_finish(&w);
    }
    waiting_deinit(&w);
    json_decref(names);
    return status;
}

enum status cmd_start(struct cli *cli)
{
    return operate(cli, "start", NULL);
}

enum status cmd_stop(struct cli *cli)
{
    return operate(cli, "stop", NULL);
}

enum status cmd_restart(struct cli *cli)
{
    return operate(cli, "restart", NULL);
}

enum status cmd_reload(struct cli *cli)
{
    return operate(cli, "reload", NULL);
}

enum status cmd_signal(struct cli *cli)
{
    const char *signal = cli->options.words[1];

    if (signal_parse(signal) > 0)
        return operate(cli, "signal", signal);
    complain("\"%s\" is not a signal such as HUP, SIGUSR1 or 10; it stands before the names",
             signal);
    return STATUS_USAGE;
}

#include "complete.h"

#include "ask.h"
#include "fields.h"
#include "record.h"
#include "subcommands.h"

#include "base/clock.h"
#include "model/exit_cause.h"
#include "model/service_spec.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE_US (1 * USEC_PER_SEC) /* somebody has pressed a key and waits */

struct completion {
    struct cli *cli;
    const char *current;
};

static bool begins(const char *word, const char *with)
{
    return strncmp(word, with, strlen(with)) == 0;
}

/* before stands before the word on the line, as "--mode=". */
static void offer_after(const struct completion *c, const char *before, const char *word,
                        const char *help)
{
    const char *typed = c->current;

    if (!begins(typed, before) || !begins(word, typed + strlen(before)))
        return;
    printf("%s%s\t", before, word);
    harmless_print(stdout, help);
    putchar('\n');
}

static void offer(const struct completion *c, const char *word, const char *help)
{
    offer_after(c, "", word, help);
}

/* ---- from the daemon ---- */

static json_t *get(const struct completion *c, const char *path)
{
    struct request request = {.method = "GET", .path = path, .patience_us = PATIENCE_US};
    struct answer answer;
    struct error err = {0};
    json_t *json = NULL;

    if (ask_open(c->cli) != STATUS_DONE ||
        client_request(c->cli->client, &request, &answer, &err) < 0)
        return NULL;
    if (answer.http == 200)
        json = json_incref(answer.json);
    answer_deinit(&answer);
    return json;
}

static bool is_given(const struct completion *c, const char *word)
{
    for (size_t i = 1; i < c->cli->options.count; i++)
        if (strcmp(c->cli->options.words[i], word) == 0)
            return true;
    return false;
}

/* How many services have each tag. */
static void count_tags(const json_t *service, json_t *counts)
{
    const json_t *tag;
    size_t i;

    json_array_foreach(json_object_get(service, "tags"), i, tag)
    {
        const char *name = json_string_value(tag);

        if (name)
            json_object_set_new(counts, name, json_integer(field_int(counts, name) + 1));
    }
}

static void offer_tags(const struct completion *c, json_t *counts)
{
    const char *tag;
    json_t *count;

    json_object_foreach(counts, tag, count)
    {
        struct text word = {0}, help = {0};

        text_appendf(&word, "@%s", tag);
        text_appendf(&help, "%lld service%s", (long long)json_integer_value(count),
                     json_integer_value(count) == 1 ? "" : "s");
        if (word.data && help.data && service_name_valid(tag) && !is_given(c, word.data))
            offer(c, word.data, help.data);
        text_deinit(&word);
        text_deinit(&help);
    }
}

static void offer_services(const struct completion *c, bool tags)
{
    json_t *status = get(c, "/status"), *counts = json_object(), *service;
    size_t i;

    json_array_foreach(json_object_get(status, "services"), i, service)
    {
        const char *name = field_string(service, "name");

        if (service_name_valid(name) && !is_given(c, name))
            offer(c, name, field_string(service, "state"));
        count_tags(service, counts);
    }
    if (tags)
        offer_tags(c, counts);
    json_decref(counts);
    json_decref(status);
}

static void offer_operations(const struct completion *c, const char *path)
{
    json_t *body = get(c, path), *record;
    size_t i;

    json_array_foreach(record_list(body), i, record)
    {
        char id[24];
        struct text line = {0};

        snprintf(id, sizeof id, "%lld", (long long)field_int(record, "id"));
        record_line(record, &line);
        if (!is_given(c, id))
            offer(c, id, line.data ? line.data : "");
        text_deinit(&line);
    }
    json_decref(body);
}

/* ---- from the tables ---- */

static void offer_signals(const struct completion *c)
{
    for (int i = 1; i < NSIG; i++) {
        const char *name = sigabbrev_np(i);

        if (name)
            offer(c, name, sigdescr_np(i));
    }
}

static void offer_subcommands(const struct completion *c)
{
    for (size_t i = 0; i < subcommand_count; i++)
        offer(c, subcommands[i].name, subcommands[i].summary);
}

static void offer_options(const struct completion *c, const struct subcommand *s)
{
    struct option_facts facts;

    for (size_t i = 0; option_facts(i, &facts); i++)
        if (facts.common || (s && s->options & facts.bit))
            offer_after(c, "--", facts.name, facts.help);
}

static void offer_argument(const struct completion *c, const char *before,
                           const struct option_facts *facts)
{
    if (facts->kind == ARGUMENT_FILE && *before == '\0')
        puts(":files");
    for (size_t i = 0; facts->kind == ARGUMENT_WORDS && facts->words[i]; i++)
        offer_after(c, before, facts->words[i], facts->help);
}

/* "--mode=re" */
static void offer_attached(const struct completion *c)
{
    size_t len = strcspn(c->current, "=");
    struct option_facts facts;

    for (size_t i = 0; option_facts(i, &facts); i++) {
        char before[64];

        if (len != strlen(facts.name) + 2 || strncmp(c->current + 2, facts.name, len - 2) != 0)
            continue;
        snprintf(before, sizeof before, "--%s=", facts.name);
        offer_argument(c, before, &facts);
    }
}

/* Whether the word before is an option that takes this one as its argument. */
static bool is_argument_of(const char *previous, struct option_facts *facts)
{
    for (size_t i = 0; option_facts(i, facts); i++)
        if (facts->needs_argument &&
            ((begins(previous, "--") && strcmp(previous + 2, facts->name) == 0) ||
             (facts->letter && previous[0] == '-' && previous[1] == facts->letter &&
              previous[2] == '\0')))
            return true;
    return false;
}

static void offer_words(const struct completion *c, const struct subcommand *s)
{
    size_t given = c->cli->options.count - 1;
    bool leading = given < subcommand_leading(s);

    if (given >= s->most)
        return;
    switch (s->words) {
    case WORDS_NONE: return;
    case WORDS_SERVICE: offer_services(c, false); return;
    case WORDS_FILE: puts(":files"); return;
    case WORDS_IDS:
        offer_operations(c, "/operations?state=running&limit=100");
        offer_operations(c, "/operations?state=queued&limit=100");
        return;
    case WORDS_SIGNAL:
        if (leading) {
            offer_signals(c);
            return;
        }
        break;
    case WORDS_GOAL:
        if (leading) {
            offer(c, "up", "to run");
            offer(c, "down", "not to run");
            return;
        }
        break;
    case WORDS_SERVICES: break;
    }
    offer_services(c, true);
}

static void offer_all(const struct completion *c)
{
    const struct options *o = &c->cli->options;
    const struct subcommand *s = o->count > 0 ? subcommand_find(o->words[0]) : NULL;

    if (begins(c->current, "--") && strchr(c->current, '='))
        offer_attached(c);
    else if (c->current[0] == '-')
        offer_options(c, s);
    else if (o->count == 0)
        offer_subcommands(c);
    else if (s)
        offer_words(c, s);
}

enum status complete(struct cli *cli, int argc, char *argv[])
{
    struct completion c = {cli, argc > 1 ? argv[argc - 1] : ""};
    struct option_facts facts;

    if (!freopen("/dev/null", "w", stderr))
        return STATUS_DONE;
    if (argc > 2 && is_argument_of(argv[argc - 2], &facts)) {
        offer_argument(&c, "", &facts);
        return STATUS_DONE;
    }
    options_parse(argc > 1 ? argc - 1 : argc, argv, &cli->options);
    offer_all(&c);
    return STATUS_DONE;
}

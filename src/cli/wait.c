#include "wait.h"

#include "ask.h"
#include "fields.h"
#include "record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- who is waited for ---- */

static enum status make_room(struct waiting *w, size_t count)
{
    w->count = count;
    w->items = calloc(count + 1, sizeof *w->items);
    if (w->items && progress_init(&w->progress, &w->cli->screen, count,
                                  option_given(&w->cli->options, OPTION_JSON)) == 0)
        return STATUS_DONE;
    complain("%s", strerror(ENOMEM));
    return STATUS_FAILED;
}

enum status waiting_init(struct waiting *w, struct cli *cli, size_t count)
{
    *w = (struct waiting){.cli = cli};
    return count > 0 ? make_room(w, count) : STATUS_DONE;
}

void waiting_deinit(struct waiting *w)
{
    for (size_t i = 0; w->items && i < w->count; i++)
        answer_deinit(&w->items[i].answer);
    free(w->items);
    answer_deinit(&w->whole);
    progress_deinit(&w->progress);
    *w = (struct waiting){0};
}

void waiting_end(struct waiting *w, size_t index, enum status status)
{
    w->items[index].over = true;
    w->items[index].status = status;
}

void waiting_take(struct waiting *w, size_t index, struct answer *answer)
{
    struct pending *p = &w->items[index];
    struct text line = {0};

    answer_deinit(&p->answer);
    p->answer = *answer;
    *answer = (struct answer){0};
    p->status = status_of_answer(&p->answer);
    p->over = p->status != STATUS_DONE;
    if (p->over)
        return;
    p->id = field_int(p->answer.json, "id");
    record_line(p->answer.json, &line);
    if (line.data)
        progress_say(&w->progress, index, line.data);
    text_deinit(&line);
    p->over = p->id == 0 || record_ended(p->answer.json);
    if (p->id)
        p->status = record_status(p->answer.json);
}

static void take_record(struct waiting *w, size_t index, json_t *record)
{
    struct answer answer = {.http = 200, .json = json_incref(record)};

    waiting_take(w, index, &answer);
}

/* The list is newest first. NULL: it is not there. */
static json_t *find_record(const json_t *list, int64_t id)
{
    size_t from = 0, to = json_array_size(list);

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int64_t there = field_int(json_array_get(list, middle), "id");

        if (there == id)
            return json_array_get(list, middle);
        if (there > id)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

void waiting_take_list(struct waiting *w, const json_t *list)
{
    for (size_t i = 0; i < w->count; i++) {
        long long id = (long long)w->items[i].id;
        json_t *record = find_record(list, id);

        if (w->items[i].over)
            continue;
        if (record) {
            take_record(w, i, record);
            continue;
        }
        complain("operation %lld has ended, and its record is gone", id);
        waiting_end(w, i, STATUS_UNKNOWN);
    }
}

size_t waiting_left(const struct waiting *w)
{
    size_t left = 0;

    for (size_t i = 0; i < w->count; i++)
        left += !w->items[i].over;
    return left;
}

void waiting_end_all(struct waiting *w, enum status status)
{
    for (size_t i = 0; i < w->count; i++)
        if (!w->items[i].over)
            waiting_end(w, i, status);
}

enum status waiting_take_batch(struct waiting *w, struct answer *answer)
{
    json_t *list = record_list(answer->json), *record;
    enum status status = make_room(w, json_array_size(list));
    size_t i;

    if (status != STATUS_DONE)
        return status;
    w->batch = field_int(answer->json, "batch");
    json_array_foreach(list, i, record) take_record(w, i, record);
    w->whole = *answer;
    *answer = (struct answer){0};
    return STATUS_DONE;
}

/* ---- the end ---- */

static void complain_of(const struct waiting *w, const struct answer *answer)
{
    if (answer_is_operation(answer))
        record_complain(answer->json);
    else if (answer->http && status_of_answer(answer) != STATUS_DONE)
        complain_of_answer(w->cli, answer);
}

/* The daemon's answers: one as it is, several as an array, a batch as the batch that it is. */
static void print_json(const struct waiting *w)
{
    bool any = false;

    if (w->batch || w->count == 1) {
        const struct answer *answer = w->batch ? &w->whole : &w->items[0].answer;

        if (status_of_answer(answer) == STATUS_DONE)
            print_body(answer);
        return;
    }
    putchar('[');
    for (size_t i = 0; i < w->count; i++) {
        const json_t *json = w->items[i].answer.json;

        if (!json)
            continue;
        fputs(any ? ",\n" : "", stdout);
        json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
        any = true;
    }
    puts("]");
}

enum status waiting_finish(struct waiting *w)
{
    enum status status = STATUS_DONE;

    for (size_t i = 0; i < w->count; i++) {
        complain_of(w, &w->items[i].answer);
        status = status_worse(status, w->items[i].status);
    }
    if (option_given(&w->cli->options, OPTION_JSON))
        print_json(w);
    return status;
}

#include "wait.h"

#include "ask.h"
#include "fields.h"
#include "interrupt.h"
#include "record.h"

#include "base/clock.h"

#include <errno.h>
#include <string.h>

#define LONG_WAIT_US  (30 * USEC_PER_SEC) /* for one alone: its end wakes us */
#define SHORT_WAIT_US (1 * USEC_PER_SEC)  /* when there are others to look after */
#define GONE_US       (5 * USEC_PER_SEC)  /* a daemon that is started again is back by then */
#define RETRY_US      (100 * USEC_PER_MSEC)

struct waiting {
    struct cli *cli;
    struct pending *pending;
    size_t count;
    struct progress *progress;
    int64_t until_mono, gone_since; /* 0: the daemon answers */
};

void pending_deinit(struct pending *p)
{
    answer_deinit(&p->answer);
}

void pending_take(struct pending *p, struct answer *answer, struct progress *progress, size_t index)
{
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
        progress_say(progress, index, line.data);
    text_deinit(&line);
    if (record_ended(p->answer.json)) {
        p->over = true;
        p->status = record_status(p->answer.json);
    }
}

static size_t left_of(const struct waiting *w)
{
    size_t left = 0;

    for (size_t i = 0; i < w->count; i++)
        left += !w->pending[i].over;
    return left;
}

static void end_all(struct waiting *w, enum status status)
{
    for (size_t i = 0; i < w->count; i++) {
        if (w->pending[i].over)
            continue;
        w->pending[i].over = true;
        w->pending[i].status = status;
    }
}

static void say_they_go_on(const struct waiting *w)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct pending *p = &w->pending[i];
        long long id = (long long)p->id;

        if (p->over)
            continue;
        if (strcmp(field_string(p->answer.json, "state"), "running") == 0)
            complain("operation %lld goes on; wait for it with: orderlyctl wait %lld", id, id);
        else
            complain("operation %lld goes on; cancel with: orderlyctl cancel %lld", id, id);
    }
}

static void give_up(struct waiting *w, const struct error *err)
{
    complain("%s", err->text);
    for (size_t i = 0; i < w->count; i++)
        if (!w->pending[i].over)
            complain("operation %lld was accepted and outlives the daemon; ask again with: "
                     "orderlyctl wait %lld",
                     (long long)w->pending[i].id, (long long)w->pending[i].id);
    end_all(w, status_of_failure(err));
}

/* The daemon is not there at the moment: it may be on its way back. */
static void bear_absence(struct waiting *w, const struct error *err)
{
    int64_t now = clock_mono_us();

    if (w->gone_since == 0)
        w->gone_since = now;
    if (status_of_failure(err) != STATUS_UNREACHABLE || now - w->gone_since >= GONE_US)
        give_up(w, err);
    else
        pause_us(RETRY_US);
}

static void look_at(struct waiting *w, size_t index, int64_t wait_us)
{
    struct text path = {0};
    struct answer answer;
    struct error err = {0};

    text_appendf(&path, "/operations/%lld", (long long)w->pending[index].id);
    if (wait_us > 0)
        text_appendf(&path, "?wait=%lldms", (long long)(wait_us / USEC_PER_MSEC));
    if (path.failed) {
        error_set(&err, -ENOMEM, "%m");
        give_up(w, &err);
    } else if (client_request(w->cli->client, "GET", path.data, wait_us + ASK_PATIENCE_US, &answer,
                              &err) < 0) {
        if (err.code != -EINTR)
            bear_absence(w, &err);
    } else if (answer.http == 503) {
        error_set(&err, -EAGAIN, "%s", field_string(answer.json, "detail"));
        answer_deinit(&answer);
        bear_absence(w, &err);
    } else {
        w->gone_since = 0;
        pending_take(&w->pending[index], &answer, w->progress, index);
    }
    text_deinit(&path);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Waits a while for the first that has not ended, then looks at the others. */
static void go_round(struct waiting *w)
{
    bool alone = left_of(w) == 1 && !w->progress->in_place;
    int64_t wait_us = alone ? LONG_WAIT_US : SHORT_WAIT_US;

    if (w->until_mono != CLOCK_NEVER)
        wait_us = smaller(wait_us, w->until_mono - clock_mono_us());
    if (wait_us < USEC_PER_MSEC)
        wait_us = 0;
    for (size_t i = 0; i < w->count && !interrupted(); i++) {
        if (w->pending[i].over)
            continue;
        look_at(w, i, wait_us);
        wait_us = 0;
    }
}

void pending_complain(const struct cli *cli, const struct pending *pending, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct answer *answer = &pending[i].answer;

        if (answer_is_operation(answer))
            record_complain(answer->json);
        else if (answer->http)
            complain_of_answer(cli, answer);
    }
}

void wait_for(struct cli *cli, struct pending *pending, size_t count, struct progress *progress,
              int64_t until_mono)
{
    struct waiting w = {cli, pending, count, progress, until_mono, 0};

    while (left_of(&w) > 0) {
        go_round(&w);
        if (interrupted()) {
            if (progress->in_place)
                putchar('\n'); /* the terminal has just shown ^C */
            fflush(stdout);
            say_they_go_on(&w);
            end_all(&w, STATUS_INTERRUPTED);
        } else if (clock_mono_us() >= until_mono && left_of(&w) > 0) {
            say_they_go_on(&w);
            end_all(&w, STATUS_TIMED_OUT);
        }
    }
}

enum status pending_status(const struct pending *pending, size_t count)
{
    enum status status = STATUS_DONE;

    for (size_t i = 0; i < count; i++) {
        if (pending[i].status == STATUS_INTERRUPTED)
            return STATUS_INTERRUPTED;
        if (status == STATUS_DONE)
            status = pending[i].status;
    }
    return status;
}

void pending_print_json(const struct pending *pending, size_t count, bool as_array)
{
    bool any = false;

    if (!as_array) {
        if (count > 0 && pending[0].answer.body.len > 0)
            print_body(&pending[0].answer);
        return;
    }
    putchar('[');
    for (size_t i = 0; i < count; i++) {
        const struct text *body = &pending[i].answer.body;

        if (body->len == 0)
            continue;
        printf("%s%.*s", any ? ",\n" : "", (int)body->len, body->data);
        any = true;
    }
    puts("]");
}

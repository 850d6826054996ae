/* The waiting itself: looking again and again, and what makes it end before the operations do. */
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
#define BUSY_US       (1 * USEC_PER_SEC) /* as many wait as the daemon lets */

/* ---- those that go on ---- */

/* A stop that has begun cannot be undone; with nothing before it it has, whatever was said last. */
static bool can_be_cancelled(const struct pending *p)
{
    const json_t *record = p->answer.json;

    return strcmp(field_string(record, "action"), "stop") != 0 || field_int(record, "position") > 0;
}

/* "operations 42 43 go on; cancel with: orderlyctl cancel 42 43" */
static void say_these_go_on(const struct waiting *w, bool cancellable)
{
    struct text ids = {0};
    size_t count = 0;

    for (size_t i = 0; i < w->count; i++) {
        if (w->items[i].over || can_be_cancelled(&w->items[i]) != cancellable)
            continue;
        text_appendf(&ids, " %lld", (long long)w->items[i].id);
        count++;
    }
    if (count > 0 && ids.data)
        complain("operation%s%s go%s on; %s: orderlyctl %s%s", count > 1 ? "s" : "", ids.data,
                 count > 1 ? "" : "es", cancellable ? "cancel with" : "wait again with",
                 cancellable ? "cancel" : "wait", ids.data);
    text_deinit(&ids);
}

static void say_they_go_on(const struct waiting *w)
{
    say_these_go_on(w, true);
    say_these_go_on(w, false);
}

static void give_up(struct waiting *w, const struct error *err)
{
    struct text ids = {0};

    complain("%s", err->text);
    for (size_t i = 0; i < w->count; i++)
        if (!w->items[i].over)
            text_appendf(&ids, " %lld", (long long)w->items[i].id);
    if (ids.data)
        complain("what was accepted outlives the daemon; ask again with: orderlyctl wait%s",
                 ids.data);
    text_deinit(&ids);
    waiting_end_all(w, status_of_failure(err));
}

/* ---- looking ---- */

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

/* false: there is no answer now; what is to be done about it is done. */
static bool look(struct waiting *w, const struct text *path, int64_t wait_us,
                 struct answer *ret_answer)
{
    struct request request = {
        .method = "GET", .path = path->data, .patience_us = wait_us + ASK_PATIENCE_US};
    struct error err = {0};

    if (path->failed) {
        error_set(&err, -ENOMEM, "%m");
        give_up(w, &err);
    } else if (client_request(w->cli->client, &request, ret_answer, &err) < 0) {
        if (err.code != -EINTR)
            bear_absence(w, &err);
    } else if (ret_answer->http == 503) {
        error_set(&err, -EAGAIN, "%s", field_string(ret_answer->json, "detail"));
        answer_deinit(ret_answer);
        bear_absence(w, &err);
    } else if (ret_answer->http == 429) {
        answer_deinit(ret_answer);
        pause_us(BUSY_US);
    } else {
        w->gone_since = 0;
        return true;
    }
    return false;
}

static void look_at(struct waiting *w, size_t index, int64_t wait_us)
{
    struct text path = {0};
    struct answer answer;

    text_appendf(&path, "/operations/%lld", (long long)w->items[index].id);
    if (wait_us > 0)
        text_appendf(&path, "?wait=%lldms", (long long)(wait_us / USEC_PER_MSEC));
    if (look(w, &path, wait_us, &answer))
        waiting_take(w, index, &answer);
    text_deinit(&path);
}

static void look_at_batch(struct waiting *w, int64_t wait_us)
{
    struct text path = {0};
    struct answer answer;

    text_appendf(&path, "/operations?batch=%lld", (long long)w->batch);
    if (wait_us > 0)
        text_appendf(&path, "&wait=%lldms", (long long)(wait_us / USEC_PER_MSEC));
    if (look(w, &path, wait_us, &answer)) {
        enum status status = status_of_answer(&answer);

        if (status == STATUS_DONE && record_list(answer.json)) {
            waiting_take_list(w, record_list(answer.json));
        } else {
            complain_of_answer(w->cli, &answer);
            waiting_end_all(w, status == STATUS_DONE ? STATUS_FAILED : status);
        }
        answer_deinit(&w->whole);
        w->whole = answer;
    }
    text_deinit(&path);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Waits a while for the first that has not ended, then looks at the others. */
static void look_at_all(struct waiting *w, int64_t wait_us)
{
    if (w->batch) {
        look_at_batch(w, wait_us);
        return;
    }
    for (size_t i = 0; i < w->count && !interrupted(); i++) {
        if (w->items[i].over)
            continue;
        look_at(w, i, wait_us);
        wait_us = 0;
    }
}

/* A daemon that is shutting down holds no answer back; it is not asked all the faster for that. */
static void go_round(struct waiting *w, int64_t until_mono)
{
    size_t left = waiting_left(w);
    bool alone = left == 1 && !w->progress.in_place;
    int64_t begun = clock_mono_us(), wait_us = alone ? LONG_WAIT_US : SHORT_WAIT_US;

    if (until_mono != CLOCK_NEVER)
        wait_us = smaller(wait_us, until_mono - begun);
    if (wait_us < USEC_PER_MSEC)
        wait_us = 0;
    look_at_all(w, wait_us);
    if (waiting_left(w) == left && clock_mono_us() - begun < smaller(wait_us, RETRY_US))
        pause_us(RETRY_US);
}

void waiting_wait(struct waiting *w, int64_t until_mono)
{
    while (waiting_left(w) > 0) {
        go_round(w, until_mono);
        if (interrupted()) {
            if (w->progress.in_place)
                putchar('\n'); /* the terminal has just shown ^C */
            say_they_go_on(w);
            waiting_end_all(w, STATUS_INTERRUPTED);
        } else if (clock_mono_us() >= until_mono && waiting_left(w) > 0) {
            say_they_go_on(w);
            waiting_end_all(w, STATUS_TIMED_OUT);
        }
    }
}

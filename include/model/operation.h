/* operation - the record of one thing asked of one service, as every endpoint shows it and the
 * journal keeps it.
 * Threads: a plain record; its holder guards it. Ownership: operation_deinit() frees the strings.
 */
#pragma once

#include "base/text.h"
#include "model/exit_cause.h"
#include "model/names.h"
#include "model/service_spec.h"

#include <stdbool.h>
#include <stdint.h>

#define IDENTITY_MAX 80
#define REASON_MAX   256 /* bytes, without the end */

struct operation {
    int64_t id;
    char service[SERVICE_NAME_MAX + 1];
    enum action action;
    int signal; /* of ACTION_SIGNAL */
    enum operation_state state;
    bool changed;
    enum origin origin;
    char requested_by[IDENTITY_MAX]; /* "uid:0", "token:deploy", "supervisor" */
    char *reason;                    /* why, in their words; NULL: not said */
    int64_t batch;                   /* the first operation of its batch; 0: none */
    int64_t coalesced_into;          /* the operation that does it along; 0: none */
    bool durable;                    /* its acceptance is in the journal */
    int position;                    /* operations before it on its service; 0 once it runs */
    char *waiting_for;               /* the dependency it waits for; NULL: none */
    int64_t accepted_utc, started_utc, finished_utc; /* 0: not yet */
    int64_t timeout_us;
    char *detail; /* NULL: nothing to add */
    struct exit_cause exit;
    struct string_list output; /* the last lines, when it failed */

    /* Not shown: what a next daemon needs to go on. */
    int64_t started_mono;     /* 0: has not begun */
    int64_t begin_generation; /* of a restart: the instance that is to be replaced */
    bool replaces;            /* MODE_REPLACE: those before it end when it is committed */
};

static inline bool operation_ended(const struct operation *op)
{
    return op->state >= OPERATION_SUCCEEDED;
}

void operation_deinit(struct operation *op);
/* A deep copy; 0 or -ENOMEM with *to untouched. */
int operation_copy(struct operation *to, const struct operation *from);
void operation_json(const struct operation *op, struct text *t);
/* What an event tells of it: without times, position and output. */
void operation_json_brief(const struct operation *op, struct text *t);

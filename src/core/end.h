/* end - how operations are accepted for the supervisor itself, and how each of them ends: the
 * record, the journal, the log line, those who wait.
 *
 * Threads: op_end() is for whoever took the operation out of its queue, or the turn in which it is
 * active: so it is called once for each. Ownership: no reference changes hands. */
#pragma once

#include "journal/journal.h"
#include "op.h"

/* Logs and journals an automatic operation; nobody waits for the commit. */
void op_accepted(struct op *op);
struct log_lines;
void op_log_accepted(struct op *op, struct log_lines *lines); /* log_written() is the caller's */

struct op_result {
    enum operation_state state;
    bool changed;
    const char *detail; /* NULL: none */
    struct exit_cause exit;
    struct string_list *output;           /* its lines are taken; NULL: none */
    const struct service_record *service; /* written in the same transaction; NULL: none */
    bool later;                           /* all of it stands in the service's mark */
    int64_t at_utc;                       /* 0: now */
};
/* Ends op and those that joined it, in one transaction. */
void op_end(struct op *op, const struct op_result *result);
/* Tells those who wait for its end, or for that of one that joined it. */
void op_announce(struct op *op);
/* Ends a committed operation that still waits, or has joined another, as `cancelled`; false: it
 * waits no more. */
bool op_cancel_queued(struct op *op, const char *detail);
/* Ends everything committed that waits in the service's queue. What is committed later, on a
 * service that is closing by then, is ended by who commits it. */
void op_cancel_all(struct service *service, const char *detail);

/* Writes the records of op and all that joined it as they are now; done as journal_submit() has it.
 */
void op_write_joined(struct op *op, journal_done *done, void *context);

/* Several at once, in one transaction. */
struct op_write {
    const struct service_record *service; /* NULL: none */
    const struct journal_key *key;        /* NULL: none */
    bool essential;                       /* a full disk's reserve is for it */
    bool later;                           /* a mark has it, or nobody would miss it */
    int64_t give_up_mono;                 /* 0: never */
    journal_done *done;                   /* NULL: nobody waits */
    void *context;
};
void op_write_all(struct op *const *ops, size_t count, const struct op_write *how);

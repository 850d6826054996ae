/* service_status - what is to be seen of one service at one moment: the row of GET /status.
 * Threads: immutable once published. Ownership: status_free(). */
#pragma once

#include "base/text.h"
#include "model/exit_cause.h"
#include "model/names.h"
#include "model/service_spec.h"

struct service_status {
    struct service_spec *spec; /* a reference: name, description, tags, autostart, requires */
    enum service_state state;
    bool ready;
    enum goal goal;
    bool stuck;
    pid_t pid; /* 0: none */
    int64_t generation;
    int64_t state_since_utc;
    int64_t restarts; /* automatic ones */
    struct exit_cause last_exit;
    int64_t active_operation; /* 0: none */
    int queue_length;
    char *waiting_for;
    bool recovering; /* an automatic start is due */
    int64_t next_attempt_utc;
    int64_t attempt; /* its number, from 1 */
    enum containment containment;
    bool config_changed;
    char *config_error;
    char *log_error;  /* why its output cannot be kept at the moment; NULL: it can */
    char *unit_error; /* why the unit cannot be driven; NULL: it can, or it is none */
    /* Of a unit, not in the row: "active/running", and which run of it this is; or NULL. */
    char *unit_state, *invocation_id;
    char *place; /* where its processes are, for usage_read(); not shown; NULL: nowhere */
};

void status_free(struct service_status *status); /* NULL is fine */
void status_deinit(struct service_status *status);
void status_json(const struct service_status *status, struct text *t);

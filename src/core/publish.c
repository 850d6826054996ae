/* What a turn leaves for others to see: the status on the board, the view for dependents, the
 * service's record in the journal.
 * Threads: the turn's. */
#include "base/fault.h"
#include "base/log.h"
#include "depend.h"
#include "host.h"
#include "registry.h"
#include "turn.h"

#include <stdlib.h>
#include <string.h>

static struct service_standing standing_of(const struct service *s)
{
    return (struct service_standing){
        .state = s->machine.state,
        .goal = s->machine.goal,
        .generation = s->generation,
        .restarts = s->restarts,
    };
}

static bool same(const struct service_standing *a, const struct service_standing *b)
{
    return a->state == b->state && a->goal == b->goal && a->generation == b->generation &&
           a->restarts == b->restarts;
}

bool publish_record(struct service *s, struct service_record *ret_record)
{
    struct service_standing standing = standing_of(s);

    if (s->was_written && same(&standing, &s->written))
        return false;
    s->written = ret_record->standing = standing;
    s->was_written = true;
    strcpy(ret_record->name, s->name);
    return true;
}

/* In the turn, for a new place may make the file larger. */
static struct mark_place *place_of(struct service *s)
{
    struct error err = {0};

    if (s->mark_place || s->unmarked)
        return s->mark_place;
    s->mark_place = marks_place(s->host->marks, s->name, &err);
    s->unmarked = !s->mark_place;
    if (s->unmarked)
        log_warning("%s: how far it has come is not marked: %s", s->name, err.text);
    return s->mark_place;
}

void publish_mark(struct service *s)
{
    struct mark_place *place = place_of(s);

    if (!place)
        return;
    s->mark.service = standing_of(s);
    s->mark.spec = s->running_digest;
    s->mark.invocation = s->invocation;
    s->was_marked = true;
    mark_write(place, s->name, &s->mark);
}

/* States on the way to another are told with the operation that brings them. */
static void write_record(struct service *s)
{
    struct service_record record;
    struct journal_entry entry = {.service = &record, .later = s->mark_place != NULL};

    if (s->mark.service.generation != s->generation || s->mark.service.goal != s->machine.goal ||
        s->mark.service.state != s->machine.state || s->mark.spec != s->running_digest ||
        s->mark.invocation != s->invocation)
        publish_mark(s);
    if (s->machine.state == STATE_STARTING || s->machine.state == STATE_STOPPING)
        return;
    if (publish_record(s, &record) && journal_submit(s->host->journal, &entry, 1) < 0)
        log_error("%s: out of memory: its state is not written down", s->name);
}

/* Once each time that it begins or becomes another. */
static void tell_log_trouble(struct service *s, const struct log_trouble *trouble)
{
    if (trouble->error && trouble->error != s->log_told.error)
        log_warning("%s: its output cannot be written: %s", s->name, strerror(-trouble->error));
    if (trouble->rotate_error && trouble->rotate_error != s->log_told.rotate_error)
        log_warning("%s: its log can be neither rotated nor packed: %s", s->name,
                    strerror(-trouble->rotate_error));
    s->log_told = (struct log_told){trouble->error, trouble->rotate_error};
}

static char *log_fault(struct service *s)
{
    struct log_trouble trouble = {0};

    if (s->log)
        log_trouble(s->log, &trouble);
    tell_log_trouble(s, &trouble);
    return trouble.error ? strdup(strerror(-trouble.error)) : NULL;
}

static char *copy_text(const char *text)
{
    return text && text[0] ? strdup(text) : NULL;
}

/* What a unit has instead of an instance of ours. */
static void show_unit(const struct service *s, struct service_status *status)
{
    status->pid = s->unit->pid;
    status->recovering = s->machine.state == STATE_BACKOFF && !s->machine.recovers;
    status->containment = s->unit->place[0] ? CONTAINMENT_SYSTEMD : CONTAINMENT_NONE;
    status->config_changed = s->unit->config_changed;
    status->place = copy_text(s->unit->place);
    status->unit_error = copy_text(s->unit->fault);
    status->invocation_id = copy_text(s->unit->invocation_id);
    if (asprintf(&status->unit_state, "%s/%s", s->unit->active, s->unit->sub) < 0 ||
        !s->unit->active[0]) {
        free(status->unit_state);
        status->unit_state = NULL;
    }
}

/* False: there is no memory for what it says; status_deinit() in any case. */
static bool make_status(struct service *s, struct service_status *status, size_t *ret_busy)
{
    const struct machine *m = &s->machine;

    *status = (struct service_status){
        .spec = spec_ref(s->spec),
        .state = m->state,
        .ready = m->state == STATE_RUNNING,
        .goal = m->goal,
        .stuck = m->stuck,
        .pid = s->instance && m->main ? s->instance->pid : 0,
        .generation = s->generation,
        .state_since_utc = s->state_since_utc,
        .restarts = s->restarts,
        .last_exit = s->last_exit,
        .waiting_for = s->waiting_for ? strdup(s->waiting_for) : NULL,
        .recovering = m->state == STATE_BACKOFF,
        .next_attempt_utc = s->next_attempt_utc,
        .attempt = m->attempt,
        .containment = s->instance ? s->instance->containment : CONTAINMENT_NONE,
        .config_changed = s->running_digest && s->running_digest != s->spec_digest,
        .config_error = s->config_error ? strdup(s->config_error) : NULL,
        .log_error = log_fault(s),
        .place = s->instance ? copy_text(s->instance->place) : NULL,
    };
    if (m->unit)
        show_unit(s, status);
    service_lock(s);
    status->active_operation = s->active ? s->active->record.id : 0;
    status->queue_length = (int)s->queue.length;
    *ret_busy = s->queue.length + (s->active != NULL);
    service_unlock(s);
    return !FAULT(board_publish) && !status->waiting_for == !s->waiting_for &&
           !status->config_error == !s->config_error;
}

void publish(struct service *s)
{
    size_t busy = 0;
    struct service_status status;
    bool made = make_status(s, &status, &busy);
    bool hide =
        registry_removed(s) && (s->machine.unit || s->machine.state == STATE_STOPPED) && busy == 0;
    unsigned view = view_pack((struct view){
        /* what nobody has seen yet is nothing to rely on */
        .state = s->machine.unit && !s->unit_known ? STATE_STARTING : s->machine.state,
        .goal = s->machine.goal,
        .busy = busy > 0,
        .removed = hide,
        .unit = s->machine.unit,
        .stays = s->machine.unit && !s->spec->autostart,
    });

    s->dirty = !made;
    if (!made) { /* without memory: once more, or nobody would learn of it */
        status_deinit(&status);
        service_post(s, MAIL_LOOK);
        return;
    }
    write_record(s);
    if (hide && s->machine.unit)
        unit_forget(s);
    if (hide)
        status_deinit(&status);
    if (!(hide && s->hidden))
        board_publish(&s->host->board, s->place, hide ? NULL : &status);
    s->hidden = hide;
    if (atomic_exchange(&s->view, view) != view)
        depend_notify(s);
}

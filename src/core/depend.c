#include "depend.h"

#include "host.h"
#include "registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned view_pack(struct view v)
{
    return (unsigned)v.state | (unsigned)v.goal << 4 | (unsigned)v.busy << 5 |
           (unsigned)v.removed << 6 | (unsigned)v.unit << 7 | (unsigned)v.stays << 8;
}

struct view view_of(const struct service *s)
{
    unsigned packed = atomic_load(&s->view);

    return (struct view){
        .state = packed & 15,
        .goal = packed >> 4 & 1,
        .busy = packed >> 5 & 1,
        .removed = packed >> 6 & 1,
        .unit = packed >> 7 & 1,
        .stays = packed >> 8 & 1,
    };
}

void depend_forget(struct service *s)
{
    for (size_t i = 0; i < s->pulled_count; i++)
        op_unref(s->pulled[i].op);
    free(s->pulled);
    s->pulled = NULL;
    s->pulled_count = 0;
}

static struct op *find_pulled(struct service *s, const struct service *on)
{
    for (size_t i = 0; i < s->pulled_count; i++)
        if (s->pulled[i].service == on)
            return s->pulled[i].op;
    return NULL;
}

/* Asks for a start of what is needed; false: no memory, or the daemon is closing. */
static bool pull(struct service *s, struct service *on)
{
    struct pulled *grown = realloc(s->pulled, (s->pulled_count + 1) * sizeof *grown);
    struct op *op;

    if (!grown)
        return false;
    s->pulled = grown;
    op = service_push_automatic(on, ACTION_START, ORIGIN_DEPENDENCY);
    if (!op)
        return false;
    grown[s->pulled_count++] = (struct pulled){on, op};
    return true;
}

static char *say(const char *format, const char *name, const char *rest)
{
    char *text;

    return asprintf(&text, format, name, rest) < 0 ? NULL : text;
}

/* The start that was made on our behalf: does it go on, and if not, how did it end? */
static bool pulled_goes_on(struct op *op, bool *ret_well, char **ret_detail)
{
    struct operation copy;

    *ret_well = false;
    *ret_detail = NULL;
    if (!service_announced(op))
        return true; /* what it has changed may not be seen in the view yet */
    if (service_copy_operation(op, &copy) < 0)
        return false;
    *ret_well = copy.state == OPERATION_SUCCEEDED;
    if (operation_ended(&copy) && !*ret_well &&
        asprintf(ret_detail, "start %lld %s%s%s", (long long)copy.id,
                 operation_state_name(copy.state), copy.detail ? ": " : "",
                 copy.detail ? copy.detail : "") < 0)
        *ret_detail = NULL;
    operation_deinit(&copy);
    return false;
}

static enum depend_result check_required(struct service *s, struct service *on, bool may_pull,
                                         char **ret_text)
{
    struct op *op = find_pulled(s, on);
    char *detail = NULL;
    bool well = true, goes_on = op && pulled_goes_on(op, &well, &detail);
    struct view v = view_of(on); /* after the operation: its end came after the view */

    *ret_text = NULL;
    if (v.state == STATE_RUNNING) {
        free(detail);
        return DEPEND_READY;
    }
    if (op) {
        if (goes_on) {
            *ret_text = strdup(on->name);
            return DEPEND_WAIT;
        }
        if (!well) {
            *ret_text = say("requires %s, whose %s", on->name, detail ? detail : "start failed");
            free(detail);
            return DEPEND_FAILED;
        }
        if (v.unit && v.state == STATE_STOPPED)
            return DEPEND_READY; /* one that runs to its end has done so */
    }
    if (v.busy || v.state == STATE_STARTING || v.state == STATE_STOPPING ||
        v.state == STATE_BACKOFF) {
        *ret_text = strdup(on->name);
        return DEPEND_WAIT;
    }
    if (!op && may_pull && pull(s, on)) {
        *ret_text = strdup(on->name);
        return DEPEND_WAIT;
    }
    *ret_text = say("requires %s, which %s", on->name,
                    v.state == STATE_FAILED ? "has failed" : "is stopped");
    return DEPEND_FAILED;
}

/* Wanted: it is waited for while there is hope, and done without otherwise. */
static enum depend_result check_wanted(struct service *s, struct service *on, bool may_pull)
{
    struct view v = view_of(on);
    struct op *op = find_pulled(s, on);
    char *detail = NULL;
    bool well;

    if (v.state == STATE_RUNNING)
        return DEPEND_READY;
    if (op) {
        bool goes_on = pulled_goes_on(op, &well, &detail);

        free(detail);
        return goes_on ? DEPEND_WAIT : DEPEND_READY;
    }
    if (v.busy || v.state == STATE_STARTING)
        return DEPEND_WAIT;
    if (may_pull && (v.state == STATE_STOPPED || v.state == STATE_FAILED) && pull(s, on))
        return DEPEND_WAIT;
    return DEPEND_READY;
}

static enum depend_result check_before(const struct service *on)
{
    struct view v = view_of(on);

    return v.busy || v.state == STATE_STARTING ? DEPEND_WAIT : DEPEND_READY;
}

enum depend_result depend_check(struct service *s, const struct op *op, char **ret_text)
{
    const struct service_spec *spec = s->spec;
    const struct string_list *lists[] = {&spec->requires, &spec->wants, &spec->after};
    bool may_pull = op->record.origin != ORIGIN_RECOVERY;

    *ret_text = NULL;
    for (size_t l = 0; l < 3; l++)
        for (size_t i = 0; i < lists[l]->count; i++) {
            const char *name = lists[l]->items[i];
            struct service *on = registry_find(s->host->registry, name);
            enum depend_result result;

            if (!on && l == 0) {
                *ret_text = say("requires %s, whose file is %s", name, "refused or gone");
                return DEPEND_FAILED;
            }
            if (!on)
                continue;
            result = l == 0   ? check_required(s, on, may_pull, ret_text)
                     : l == 1 ? check_wanted(s, on, may_pull)
                              : check_before(on);
            if (result == DEPEND_READY)
                continue;
            if (!*ret_text)
                *ret_text = strdup(name);
            return result;
        }
    return DEPEND_READY;
}

enum depend_result depend_check_shutdown(struct service *s, char **ret_text)
{
    struct registry *registry = s->host->registry;
    enum depend_result result = DEPEND_READY;

    *ret_text = NULL;
    if (!atomic_load(&s->watched) || atomic_load(&s->host->forced))
        return DEPEND_READY;
    registry_lock(registry);
    for (size_t i = 0; i < s->dependent_count; i++) {
        struct view v = view_of(s->dependents[i]);

        if (v.state == STATE_STOPPED || v.state == STATE_FAILED || v.removed || v.stays)
            continue;
        *ret_text = strdup(s->dependents[i]->name);
        result = DEPEND_WAIT;
        break;
    }
    registry_unlock(registry);
    return result;
}

void depend_notify(struct service *s)
{
    const struct string_list *lists[] = {&s->spec->requires, &s->spec->wants, &s->spec->after};

    registry_notify_dependents(s->host->registry, s);
    if (!atomic_load(&s->host->closing))
        return;
    registry_lock(s->host->registry);
    for (size_t l = 0; l < 3; l++)
        for (size_t i = 0; i < lists[l]->count; i++) {
            /* a removed one may still be waiting for us */
            struct service *on = registry_get(s->host->registry, lists[l]->items[i]);

            if (on)
                service_post(on, MAIL_LOOK);
        }
    registry_unlock(s->host->registry);
}

/* Reading the services' files again, and applying only what changed: first everything is read and
 * checked, then each service is told by mail, and shows it before the reload is over.
 * Threads: any, one reload at a time. */
#include "base/cleanup.h"
#include "base/log.h"
#include "depend.h"
#include "end.h"
#include "settle.h"
#include "supervisor_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void reload_result_deinit(struct reload_result *result)
{
    string_list_clear(&result->added);
    string_list_clear(&result->removed);
    string_list_clear(&result->changed);
    string_list_clear(&result->unchanged);
    string_list_clear(&result->restart_required);
    problems_deinit(&result->problems);
}

static void open_again(struct service *s)
{
    service_lock(s);
    s->closing = false;
    s->refused = false;
    service_unlock(s);
    s->removed = false;
    s->known = true;
}

/* What a reload has found out, and what is to be done once the registry's lock is released: an
 * automatic operation and the cancelling of queues write to the journal. */
struct changes {
    const struct service_set *set;
    struct reload_result *result;
    struct service **started, **removed;
    size_t started_count, removed_count;
    int error;
};

static void note(struct changes *changes, struct service ***list, size_t *count,
                 struct service *service)
{
    struct service **grown = realloc(*list, (*count + 1) * sizeof *grown);

    if (!grown) {
        changes->error = -ENOMEM;
        return;
    }
    *list = grown;
    grown[(*count)++] = service;
}

static void name(struct changes *changes, struct string_list *list, const char *service)
{
    if (string_list_add(list, service) < 0)
        changes->error = -ENOMEM;
}

static void apply_spec(struct supervisor *supervisor, struct service_spec *spec,
                       struct changes *changes) REQUIRES(registry_lock_class)
{
    struct reload_result *result = changes->result;
    struct service *s = registry_get(&supervisor->registry, spec->name);
    bool added = !s || s->removed || !s->known, same;

    if (!s) {
        s = boot_add_service(supervisor, spec);
        if (!s) {
            changes->error = -ENOMEM;
            return;
        }
        service_post_spec(s, spec_ref(spec), NULL);
    } else {
        same = spec_equal(s->latest, spec);
        open_again(s);
        spec_unref(s->latest);
        s->latest = spec_ref(spec);
        service_post_spec(s, spec_ref(spec), NULL);
        if (!added) {
            name(changes, same ? &result->unchanged : &result->changed, spec->name);
            return;
        }
    }
    if (spec->autostart)
        note(changes, &changes->started, &changes->started_count, s);
    name(changes, &result->added, spec->name);
}

static const struct refused_service *refusal(const struct service_set *set, const char *name)
{
    for (size_t i = 0; i < set->refused_count; i++)
        if (strcmp(set->refused[i].name, name) == 0)
            return &set->refused[i];
    return NULL;
}

static bool in_set(const struct service_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->specs[i]->name, name) == 0)
            return true;
    return false;
}

/* A service whose file is gone is removed; one whose file is refused now keeps what it has. */
static void sweep_service(struct service *s, void *context)
{
    struct changes *changes = context;
    const struct refused_service *refused = refusal(changes->set, s->name);
    char *text;

    if (s->removed || !s->known || in_set(changes->set, s->name))
        return;
    if (refused) {
        text = registry_refusal_text(refused);
        service_post_spec(s, NULL, text);
        return;
    }
    name(changes, &changes->result->removed, s->name);
    note(changes, &changes->removed, &changes->removed_count, s);
    s->removed = true;
    service_lock(s);
    s->closing = true;
    service_unlock(s);
}

static void look(struct service *s, void *context)
{
    (void)context;
    service_post(s, MAIL_LOOK); /* what it waited for may be another now */
}

/* Takes the set's refusals and gives the old ones. */
static void change_registry(struct supervisor *supervisor, struct service_set *set,
                            struct changes *changes)
{
    struct registry *registry = &supervisor->registry;
    struct service_set old;

    registry_lock(registry);
    for (size_t i = 0; i < set->count; i++)
        apply_spec(supervisor, set->specs[i], changes);
    registry_each(registry, sweep_service, changes);
    old = (struct service_set){.refused = registry->refused,
                               .refused_count = registry->refused_count};
    registry->refused = set->refused;
    registry->refused_count = set->refused_count;
    set->refused = NULL;
    set->refused_count = 0;
    if (registry_link(registry) < 0)
        changes->error = -ENOMEM;
    registry_each(registry, look, NULL);
    registry_unlock(registry);
    service_set_deinit(&old);
}

static bool is_unit(struct service *s)
{
    bool unit;

    registry_lock(s->host->registry);
    unit = spec_is_unit(s->latest);
    registry_unlock(s->host->registry);
    return unit;
}

static int apply(struct supervisor *supervisor, struct service_set *set,
                 struct reload_result *result)
{
    struct changes changes = {.set = set, .result = result};

    change_registry(supervisor, set, &changes);
    for (size_t i = 0; i < changes.started_count; i++) {
        op_unref(service_push_automatic(changes.started[i], ACTION_START, ORIGIN_CONFIG));
        service_post_told(changes.started[i], MAIL_LOOK); /* that it is about to start */
    }
    for (size_t i = 0; i < changes.removed_count; i++) {
        op_cancel_all(changes.removed[i], "the service's file is gone");
        if (is_unit(changes.removed[i]))
            service_post(changes.removed[i], MAIL_LOOK); /* it is left as it is */
        else
            op_unref(service_push_automatic(changes.removed[i], ACTION_STOP, ORIGIN_CONFIG));
    }
    free(changes.started);
    free(changes.removed);
    settle_wait(&supervisor->host);
    return changes.error;
}

static int copy_errors(struct problems *to, const struct problems *from)
{
    to->items = calloc(problems_errors(from) + 1, sizeof *to->items);
    if (!to->items)
        return -ENOMEM;
    for (size_t i = 0; i < from->count; i++) {
        const struct problem *p = &from->items[i];

        if (p->warning)
            continue;
        to->items[to->count++] = (struct problem){
            .file = p->file ? strdup(p->file) : NULL,
            .line = p->line,
            .column = p->column,
            .key = p->key ? strdup(p->key) : NULL,
            .message = p->message ? strdup(p->message) : NULL,
        };
    }
    return 0;
}

static void show_problems(struct supervisor *supervisor, const struct problems *problems)
{
    struct problems copy = {0}, old;

    if (copy_errors(&copy, problems) < 0)
        return; /* the old ones stay to be seen */
    registry_lock(&supervisor->registry);
    old = supervisor->registry.problems;
    supervisor->registry.problems = copy;
    registry_unlock(&supervisor->registry);
    problems_deinit(&old);
    board_touch(&supervisor->host.board);
}

static void config_freep(struct config **config)
{
    config_free(*config);
}

/* What a running daemon can take up of supervisor.conf; the rest is named. Takes fresh. */
static void apply_config(struct supervisor *supervisor, struct config *fresh,
                         struct reload_result *result)
{
    struct host *host = &supervisor->host;

    config_needs_restart(host->config, fresh, &result->restart_required);
    atomic_store(&host->queue_limit_total, fresh->queue_limit_total);
    atomic_store(&host->shutdown_timeout_us, fresh->shutdown_timeout_us);
    journal_set_history(host->journal, fresh->history_count, fresh->history_age_us);
    log_set_level(fresh->log_level);
    config_free(supervisor->latest);
    supervisor->latest = fresh;
}

/* Processes are not left behind by what drives a service from now on. A unit is: it goes on. */
static bool drives_another(struct supervisor *supervisor, const struct service_spec *spec)
{
    struct service *s = registry_find(&supervisor->registry, spec->name);
    struct view view;

    if (!s || !spec_is_unit(spec))
        return false;
    view = view_of(s);
    return !view.unit && !view.removed && (view.busy || view.state != STATE_STOPPED);
}

static int refuse_what_runs(struct supervisor *supervisor, struct service_set *set,
                            struct problems *problems)
{
    for (size_t i = set->count; i > 0; i--)
        if (drives_another(supervisor, set->specs[i - 1]) &&
            service_set_refuse(set, i - 1, "backend",
                               "its processes run still: what drives it changes when they are "
                               "stopped and the configuration is reloaded again",
                               problems) < 0)
            return -ENOMEM;
    return 0;
}

static int reload(struct supervisor *supervisor, bool strict, struct reload_result *result,
                  struct error *err)
{
    const struct config *config = supervisor->host.config;
    CLEANUP(config_freep) struct config *fresh = config_load(config->file, &result->problems);
    struct service_set set = {0};
    int status;

    if (fresh)
        config = fresh;
    else if (supervisor->latest) /* what is broken now does not undo an earlier reload */
        config = supervisor->latest;
    status = config_load_services(config, &set, &result->problems, err);
    if (status < 0)
        return status;
    if (refuse_what_runs(supervisor, &set, &result->problems) < 0 ||
        boot_refuse_impossible(supervisor, &set, &result->problems) < 0) {
        service_set_deinit(&set);
        return error_set(err, -ENOMEM, "check what can be run: %m");
    }
    if (!strict || problems_errors(&result->problems) == 0) {
        result->applied = true;
        if (fresh)
            apply_config(supervisor, take(fresh), result);
        status = apply(supervisor, &set, result);
        show_problems(supervisor, &result->problems);
    }
    service_set_deinit(&set);
    return status < 0 ? error_set(err, status, "apply the configuration: %m") : 0;
}

static void json_names(struct text *t, const char *key, const struct string_list *list)
{
    text_appendf(t, ",\"%s\":[", key);
    for (size_t i = 0; i < list->count; i++) {
        text_append(t, i > 0 ? "," : "");
        text_json_string(t, list->items[i]);
    }
    text_append(t, "]");
}

static void tell(struct supervisor *supervisor, const struct identity *who,
                 const struct reload_result *result)
{
    struct text t = {0};

    text_append(&t, ",\"requested_by\":");
    text_json_string(&t, who->name);
    json_names(&t, "added", &result->added);
    json_names(&t, "removed", &result->removed);
    json_names(&t, "changed", &result->changed);
    json_names(&t, "restart_required", &result->restart_required);
    text_appendf(&t, ",\"errors\":%zu,\"applied\":%s", problems_errors(&result->problems),
                 result->applied ? "true" : "false");
    if (!t.failed)
        events_add(&supervisor->host.events, EVENT_KIND_CONFIG, NULL, t.data);
    text_deinit(&t);
    events_flush(&supervisor->host.events);
}

int supervisor_reload(struct supervisor *supervisor, bool strict, const struct identity *who,
                      struct reload_result *ret_result, struct error *err)
{
    int status;

    *ret_result = (struct reload_result){0};
    if (atomic_load(&supervisor->host.closing))
        return error_set(err, -ESHUTDOWN, "the daemon is shutting down");
    lock_take(&supervisor->reloading);
    status = reload(supervisor, strict, ret_result, err);
    lock_release(&supervisor->reloading);
    if (status < 0) {
        log_error("configuration reload asked by %s failed: %s", who->name, err->text);
        reload_result_deinit(ret_result);
        return status;
    }
    tell(supervisor, who, ret_result);
    log_info("configuration reloaded for %s: %zu added, %zu removed, %zu changed, %zu unchanged, "
             "%zu errors%s",
             who->name, ret_result->added.count, ret_result->removed.count,
             ret_result->changed.count, ret_result->unchanged.count,
             problems_errors(&ret_result->problems),
             ret_result->applied ? "" : " (strict: nothing was changed)");
    return 0;
}

#include "model/service_spec.h"

#include "base/hash.h"

#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int string_list_add(struct string_list *list, const char *string)
{
    char **grown = realloc(list->items, (list->count + 2) * sizeof *grown);

    if (!grown)
        return -ENOMEM;
    list->items = grown;
    grown[list->count] = strdup(string);
    if (!grown[list->count])
        return -ENOMEM;
    grown[++list->count] = NULL;
    return 0;
}

void string_list_clear(struct string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct string_list){0};
}

bool string_list_has(const struct string_list *list, const char *string)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], string) == 0)
            return true;
    return false;
}

static bool string_list_equal(const struct string_list *a, const struct string_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

struct service_spec *spec_new(const char *name)
{
    struct service_spec *spec = calloc(1, sizeof *spec);

    if (!spec)
        return NULL;
    *spec = (struct service_spec){
        .references = 1,
        .name = strdup(name),
        .umask = 022,
        .autostart = true,
        .timeout_us = 30 * USEC_PER_SEC,
        .stop_signal = SIGTERM,
        .stop_timeout_us = 10 * USEC_PER_SEC,
        .queue_limit = 64,
        .ready_delay_us = 1 * USEC_PER_SEC,
        .ready_timeout_us = 20 * USEC_PER_SEC,
        .first_delay_us = 1 * USEC_PER_SEC,
        .max_delay_us = 60 * USEC_PER_SEC,
        .stable_after_us = 60 * USEC_PER_SEC,
        .log_max_size = 10 << 20,
        .log_max_files = 5,
        .memory = -1,
        .cpu_milli = -1,
        .tasks = -1,
        .nofile = -1,
        .core = -1,
    };
    if (!spec->name) {
        free(spec);
        return NULL;
    }
    return spec;
}

struct service_spec *spec_ref(struct service_spec *spec)
{
    atomic_fetch_add_explicit(&spec->references, 1, memory_order_relaxed);
    return spec;
}

/* ---- what a spec points to ---- */

#define AT(member) offsetof(struct service_spec, member)

static const size_t strings[] = {
    AT(name), AT(file), AT(description),      AT(unit),           AT(command), AT(directory),
    AT(user), AT(home), AT(environment_file), AT(reload_command),
};
static const size_t lists[] = {
    AT(argv), AT(environment), AT(reload_argv), AT(tags), AT(requires), AT(wants), AT(after),
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static char **string_at(struct service_spec *spec, size_t i)
{
    return (char **)(void *)((char *)spec + strings[i]);
}

static struct string_list *list_at(struct service_spec *spec, size_t i)
{
    return (struct string_list *)(void *)((char *)spec + lists[i]);
}

static void spec_free(struct service_spec *spec)
{
    for (size_t i = 0; !spec->sealed && i < COUNT(strings); i++)
        free(*string_at(spec, i));
    for (size_t i = 0; !spec->sealed && i < COUNT(lists); i++)
        string_list_clear(list_at(spec, i));
    if (!spec->sealed)
        free(spec->groups);
    free(spec);
}

void spec_unref(struct service_spec *spec)
{
    if (spec && atomic_fetch_sub_explicit(&spec->references, 1, memory_order_acq_rel) == 1)
        spec_free(spec);
}

/* ---- sealing: the struct, then the lists' pointers, the groups, the strings ---- */

static size_t string_room(const char *string)
{
    return string ? strlen(string) + 1 : 0;
}

static size_t sealed_size(struct service_spec *spec)
{
    size_t size = sizeof *spec + spec->group_count * sizeof *spec->groups;

    for (size_t i = 0; i < COUNT(strings); i++)
        size += string_room(*string_at(spec, i));
    for (size_t i = 0; i < COUNT(lists); i++) {
        const struct string_list *list = list_at(spec, i);

        size += list->items ? (list->count + 1) * sizeof *list->items : 0;
        for (size_t n = 0; n < list->count; n++)
            size += string_room(list->items[n]);
    }
    return size;
}

static void *put(char **room, const void *data, size_t size)
{
    void *placed = *room;

    if (!data)
        return NULL;
    memcpy(placed, data, size);
    *room += size;
    return placed;
}

/* The lists first, for their pointers' alignment. */
static void move_in(struct service_spec *sealed, char *room)
{
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct string_list *list = list_at(sealed, i);

        list->items = put(&room, list->items, (list->count + 1) * sizeof *list->items);
    }
    sealed->groups = put(&room, sealed->groups, sealed->group_count * sizeof *sealed->groups);
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct string_list *list = list_at(sealed, i);

        for (size_t n = 0; n < list->count; n++)
            list->items[n] = put(&room, list->items[n], string_room(list->items[n]));
    }
    for (size_t i = 0; i < COUNT(strings); i++)
        *string_at(sealed, i) =
            put(&room, *string_at(sealed, i), string_room(*string_at(sealed, i)));
}

struct service_spec *spec_seal(struct service_spec *spec)
{
    struct service_spec *sealed = malloc(sealed_size(spec));

    if (!sealed)
        return NULL;
    *sealed = *spec;
    sealed->sealed = true;
    move_in(sealed, (char *)(sealed + 1));
    spec_unref(spec);
    return sealed;
}

static bool same_string(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* ---- what makes an instance: a hash over it ---- */

static uint64_t mix_integer(uint64_t hash, int64_t value)
{
    return hash_bytes(hash, &value, sizeof value);
}

/* NULL differs from "", and a string ends where it ends. */
static uint64_t mix_string(uint64_t hash, const char *string)
{
    return string ? hash_bytes(mix_integer(hash, 1), string, strlen(string) + 1)
                  : mix_integer(hash, 0);
}

static uint64_t mix_list(uint64_t hash, const struct string_list *list)
{
    hash = mix_integer(hash, (int64_t)list->count);
    for (size_t i = 0; i < list->count; i++)
        hash = mix_string(hash, list->items[i]);
    return hash;
}

static uint64_t mix_identity(uint64_t hash, const struct service_spec *spec)
{
    hash = mix_integer(mix_integer(mix_integer(hash, spec->set_user), spec->uid), spec->gid);
    hash = mix_string(mix_string(hash, spec->user), spec->home);
    hash = mix_integer(hash, (int64_t)spec->group_count);
    return spec->group_count
               ? hash_bytes(hash, spec->groups, spec->group_count * sizeof *spec->groups)
               : hash;
}

uint64_t spec_digest(const struct service_spec *spec)
{
    const int64_t numbers[] = {
        spec->environment_file_optional,
        spec->umask,
        spec->separate_stderr,
        spec->memory,
        spec->cpu_milli,
        spec->tasks,
        (int64_t)spec->readiness,
        spec->nofile,
        spec->core,
        spec->set_oom_score_adjust,
        spec->oom_score_adjust,
    };
    uint64_t hash = HASH_SEED;

    hash = mix_list(hash, &spec->argv);
    hash = mix_string(hash, spec->directory);
    hash = mix_identity(hash, spec);
    hash = mix_list(hash, &spec->environment);
    hash = mix_string(hash, spec->environment_file);
    hash = hash_bytes(hash, numbers, sizeof numbers);
    return hash ? hash : 1;
}

bool spec_same_instance(const struct service_spec *a, const struct service_spec *b)
{
    return spec_digest(a) == spec_digest(b);
}

bool spec_same_driver(const struct service_spec *a, const struct service_spec *b)
{
    return a->backend == b->backend && a->bus == b->bus && same_string(a->unit, b->unit);
}

bool spec_equal(const struct service_spec *a, const struct service_spec *b)
{
    return spec_same_instance(a, b) && same_string(a->description, b->description) &&
           string_list_equal(&a->tags, &b->tags) && string_list_equal(&a->requires, &b->requires) &&
           string_list_equal(&a->wants, &b->wants) && string_list_equal(&a->after, &b->after) &&
           a->autostart == b->autostart && a->timeout_us == b->timeout_us &&
           spec_same_driver(a, b) && a->on_timeout == b->on_timeout &&
           a->stop_signal == b->stop_signal && a->stop_timeout_us == b->stop_timeout_us &&
           a->queue_limit == b->queue_limit && a->reload_signal == b->reload_signal &&
           string_list_equal(&a->reload_argv, &b->reload_argv) && a->coalesce == b->coalesce &&
           a->output_target == b->output_target && a->log_max_age_us == b->log_max_age_us &&
           a->log_compress == b->log_compress && a->log_timestamps == b->log_timestamps &&
           a->when_full == b->when_full && a->ready_delay_us == b->ready_delay_us &&
           a->ready_timeout_us == b->ready_timeout_us && a->restart == b->restart &&
           a->first_delay_us == b->first_delay_us && a->max_delay_us == b->max_delay_us &&
           a->stable_after_us == b->stable_after_us && a->attempts == b->attempts &&
           a->log_max_size == b->log_max_size && a->log_max_files == b->log_max_files;
}

bool service_name_valid(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > SERVICE_NAME_MAX || !isalnum((unsigned char)name[0]))
        return false;
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_.@-", *c))
            return false;
    return true;
}

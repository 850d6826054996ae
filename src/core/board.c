#include "board.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct lock_class board_lock_class;

static void board_lock(struct board *b) ACQUIRE(board_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&b->lock);
}

static void board_unlock(struct board *b) RELEASE(board_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&b->lock);
}

int board_init(struct board *board, struct wait_set *waits,
               struct error *err) NO_THREAD_SAFETY_CHECK
{
    *board = (struct board){.waits = waits, .number = 1};
    if (getrandom(&board->epoch, sizeof board->epoch, 0) != sizeof board->epoch)
        return error_set(err, -errno, "getrandom: %m");
    lock_init(&board->lock, LOCK_BOARD);
    list_init(&board->waiters);
    return 0;
}

void board_deinit(struct board *board) NO_THREAD_SAFETY_CHECK
{
    for (size_t i = 0; i < board->count; i++) {
        status_deinit(&board->entries[i]->status);
        free(board->entries[i]);
    }
    free(board->entries);
    for (size_t i = 0; i < BOARD_REMOVED; i++)
        free(board->removed[i].name);
    lock_deinit(&board->lock);
}

/* Where name stands, or would stand. */
static size_t find(const struct board *board, const char *name, bool *ret_found)
    REQUIRES(board_lock_class)
{
    size_t low = 0, high = board->count;

    *ret_found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(board->entries[middle]->name, name);

        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct board_entry *insert(struct board *board, size_t at, const char *name)
    REQUIRES(board_lock_class)
{
    struct board_entry *entry = calloc(1, sizeof *entry + strlen(name) + 1);
    struct board_entry **grown =
        realloc(board->entries, (board->count + 1) * sizeof *board->entries);

    if (grown)
        board->entries = grown;
    if (!grown || !entry) {
        free(entry);
        return NULL;
    }
    strcpy(entry->name, name);
    memmove(grown + at + 1, grown + at, (board->count - at) * sizeof *grown);
    grown[at] = entry;
    board->count++;
    return entry;
}

struct board_entry *board_place(struct board *board, const char *name)
{
    struct board_entry *entry;
    bool found;
    size_t at;

    board_lock(board);
    at = find(board, name, &found);
    entry = found ? board->entries[at] : insert(board, at, name);
    board_unlock(board);
    return entry;
}

static void remember_removed(struct board *board, const char *name) REQUIRES(board_lock_class)
{
    size_t at = board->removed_next;

    if (board->removed[at].name)
        board->removed_known = board->removed[at].number;
    free(board->removed[at].name);
    board->removed[at].name = strdup(name);
    board->removed[at].number = board->number;
    if (!board->removed[at].name)
        board->removed_known = board->number; /* forgotten: older revisions get everything */
    board->removed_next = (at + 1) % BOARD_REMOVED;
}

void board_publish(struct board *board, struct board_entry *entry, struct service_status *status)
{
    struct service_status old;

    board_lock(board);
    old = entry->status;
    entry->changed = ++board->number;
    if (entry->shown && !status)
        remember_removed(board, entry->name);
    entry->shown = status != NULL;
    entry->status = status ? *status : (struct service_status){0};
    board_unlock(board);
    status_deinit(&old);
    wait_set_fire(board->waits, &board->waiters);
}

void board_touch(struct board *board)
{
    board_lock(board);
    board->number++;
    board_unlock(board);
    wait_set_fire(board->waits, &board->waiters);
}

struct revision board_revision(struct board *board)
{
    struct revision revision;

    board_lock(board);
    revision = (struct revision){board->epoch, board->number};
    board_unlock(board);
    return revision;
}

static bool removed_since(const struct board *board, size_t i, uint64_t since)
    REQUIRES(board_lock_class)
{
    bool found;
    size_t at;

    if (!board->removed[i].name || board->removed[i].number <= since)
        return false;
    at = find(board, board->removed[i].name, &found);
    return !found || !board->entries[at]->shown; /* it may have come back */
}

bool board_read(struct board *board, uint64_t since, const struct status_visitor *visitor,
                struct revision *ret_revision)
{
    bool known;

    board_lock(board);
    known = since > 0 && since >= board->removed_known && since <= board->number;
    for (size_t i = 0; i < board->count; i++) {
        const struct board_entry *entry = board->entries[i];

        if (entry->shown && (!known || entry->changed > since))
            visitor->service(visitor->context, &entry->status, entry->changed);
    }
    for (size_t i = 0; known && visitor->removed && i < BOARD_REMOVED; i++)
        if (removed_since(board, i, since))
            visitor->removed(visitor->context, board->removed[i].name);
    *ret_revision = (struct revision){board->epoch, board->number};
    board_unlock(board);
    return known || since == 0;
}

static struct service_status *copy_status(const struct service_status *status)
{
    struct service_status *copy = malloc(sizeof *copy);

    if (!copy)
        return NULL;
    *copy = *status;
    spec_ref(copy->spec);
    copy->waiting_for = status->waiting_for ? strdup(status->waiting_for) : NULL;
    copy->config_error = status->config_error ? strdup(status->config_error) : NULL;
    copy->log_error = status->log_error ? strdup(status->log_error) : NULL;
    copy->unit_error = status->unit_error ? strdup(status->unit_error) : NULL;
    copy->unit_state = status->unit_state ? strdup(status->unit_state) : NULL;
    copy->invocation_id = status->invocation_id ? strdup(status->invocation_id) : NULL;
    copy->place = status->place ? strdup(status->place) : NULL;
    return copy;
}

struct service_status *board_status(struct board *board, const char *name)
{
    struct service_status *copy = NULL;
    bool found;
    size_t at;

    board_lock(board);
    at = find(board, name, &found);
    if (found && board->entries[at]->shown)
        copy = copy_status(&board->entries[at]->status);
    board_unlock(board);
    return copy;
}

void board_wait(struct board *board, uint64_t since, int64_t until_mono, wait_done *done,
                void *context)
{
    bool waits;

    board_lock(board);
    waits = board->number <= since &&
            wait_set_add(board->waits, &board->waiters, until_mono, done, context);
    board_unlock(board);
    if (!waits)
        done(context);
}

/* One transaction: what is owed, the groups, and now and then what is too old. */
#include "store.h"

#include "base/clock.h"
#include "connection.h"
#include "group.h"
#include "records.h"
#include "retention.h"

#include <errno.h>

static int put_operation(struct store *store, const struct operation *op)
{
    sqlite3_stmt *put = store->statements[STORE_PUT_OPERATION];
    int result = FAULT_SQLITE(journal_operation) ?: operation_bind(put, op, store->boot_id);

    if (result == SQLITE_OK)
        result = statement_run(put);
    if (result == SQLITE_OK && operation_ended(op))
        store->ended_since_prune++;
    return result;
}

static int put_service(struct store *store, const struct service_record *service)
{
    sqlite3_stmt *put = store->statements[STORE_PUT_SERVICE];
    int result = FAULT_SQLITE(journal_service) ?: service_bind(put, service);

    return result == SQLITE_OK ? statement_run(put) : result;
}

static int put_events(struct store *store, const struct journal_events *events)
{
    sqlite3_stmt *put = store->statements[STORE_PUT_EVENTS];
    int result = FAULT_SQLITE(journal_events) ?: events_bind(put, events);

    if (result == SQLITE_OK)
        result = statement_run(put);
    sqlite3_clear_bindings(put); /* the text was lent */
    store->events_since_prune += events->last - events->first + 1;
    return result;
}

/* Before the rest of the group: when one is taken already, none of the group is written. */
static int put_keys(struct store *store, struct group *group)
{
    sqlite3_stmt *put = store->statements[STORE_PUT_KEY];
    int result = SQLITE_OK;

    group->refusal = 0;
    for (size_t i = 0; result == SQLITE_OK && i < group->count && group->refusal == 0; i++) {
        if (!group->items[i].has_key)
            continue;
        result = FAULT_SQLITE(journal_key) ?: key_bind(put, &group->items[i].key, clock_utc_us());
        if (result == SQLITE_OK)
            result = statement_run(put);
        if (result == SQLITE_OK && sqlite3_changes64(store->db) == 0)
            group->refusal = -EEXIST;
    }
    sqlite3_clear_bindings(put); /* the texts were lent */
    return result;
}

/* Whether a later group of the same list has a newer record of the operation: of an end there is
 * none. */
static bool is_outdated(const struct list *groups, const struct group *group,
                        const struct operation *operation)
{
    if (!group->later || operation_ended(operation))
        return false;
    for (const struct list *link = group->link.next; link != groups; link = link->next) {
        const struct group *next = list_entry(link, struct group, link);

        for (size_t i = 0; i < next->count; i++)
            if (next->items[i].has_operation && next->items[i].operation.id == operation->id)
                return true;
    }
    return false;
}

static int put_group(struct store *store, const struct list *groups, struct group *group,
                     int64_t *highest)
{
    int result = group->keyed ? put_keys(store, group) : SQLITE_OK;

    if (group->refusal < 0)
        return result;
    for (size_t i = 0; result == SQLITE_OK && i < group->count; i++) {
        const struct group_item *item = &group->items[i];

        if (item->has_operation && !is_outdated(groups, group, &item->operation)) {
            result = put_operation(store, &item->operation);
            if (item->operation.id > *highest)
                *highest = item->operation.id;
        }
        if (result == SQLITE_OK && item->has_service)
            result = put_service(store, &item->service);
        if (result == SQLITE_OK && item->has_events)
            result = put_events(store, &item->events);
    }
    return result;
}

static int put_groups(struct store *store, const struct list *groups, int64_t *highest)
{
    int result = SQLITE_OK;

    list_for_each(link, groups)
    {
        result = put_group(store, groups, list_entry(link, struct group, link), highest);
        if (result != SQLITE_OK)
            break;
    }
    return result;
}

/* What is owed before anything else: the boot. */
static int begin(struct store *store)
{
    int result = FAULT_SQLITE(journal_begin) ?: statement_run(store->statements[STORE_BEGIN]);

    return result == SQLITE_OK && store->boot_pending ? store_enter_boot(store) : result;
}

static int transaction(struct store *store, const struct list *groups, int64_t *highest)
{
    int result = begin(store);

    if (result == SQLITE_OK)
        result = list_empty(groups)
                     ? FAULT_SQLITE(journal_probe) ?: statement_run(store->statements[STORE_PROBE])
                     : put_groups(store, groups, highest);
    if (result == SQLITE_OK && !store->full && retention_due(store))
        result = FAULT_SQLITE(journal_prune) ?: retention_prune(store);
    if (result == SQLITE_OK)
        result = FAULT_SQLITE(journal_commit) ?: statement_run(store->statements[STORE_COMMIT]);
    return result;
}

static void note_failure(struct store *store, int code)
{
    store->corrupt = store->corrupt || code == -EBADMSG;
    if (code != -EBUSY && code != -ENOSPC && code != -ENOMEM)
        store->failures++;
}

static int write_once(struct store *store, const struct list *groups, struct error *err)
{
    int64_t highest = store_highest(store);
    int result = transaction(store, groups, &highest);

    if (result != SQLITE_OK) {
        result = connection_error(store->db, result, err);
        if (!sqlite3_get_autocommit(store->db) && /* some failures roll back by themselves */
            !FAULT(journal_rollback))
            statement_run(store->statements[STORE_ROLLBACK]);
        note_failure(store, result);
        return result;
    }
    store->failures = 0;
    store->boot_pending = false;
    atomic_store(&store->highest, highest);
    log_watch_note(&store->log);
    return 0;
}

/* The reserve must be back before the disk counts as not full any more: until then it is what is
 * being written into. One that was not given up says nothing: what is written may fit into the log
 * as it is. */
static bool has_room(struct reserve *reserve)
{
    return reserve->state == RESERVE_GIVEN ? reserve_make(reserve) : reserve_room(reserve);
}

int store_write(struct store *store, struct list *groups, struct list *refused, struct error *err)
{
    bool room = !store->full || has_room(&store->reserve);
    int result;

    result = write_once(store, groups, err);
    if (result == -ENOSPC) {
        store->full = true;
        room = false;
        group_take_plain(groups, refused);
        if (!list_empty(groups) && reserve_give_up(&store->reserve))
            result = write_once(store, groups, err);
    }
    if (result == 0 && room)
        store->full = false;
    if (result == 0 && room && store->reserve.state == RESERVE_NONE)
        reserve_make(&store->reserve);
    return result;
}

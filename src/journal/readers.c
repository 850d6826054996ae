#include "readers.h"

#include "base/cleanup.h"
#include "connection.h"
#include "records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SELECT "SELECT " OPERATION_COLUMNS " FROM operations WHERE "
#define NEWEST " id < ?3 ORDER BY id DESC LIMIT ?4"

/* The plus keeps the state's index out of it: a service has fewer rows than most states. */
static const char *const sql[READER_STATEMENTS] = {
    [READER_LINES] = OUTPUT_LINES_SQL,
    [READER_FIND] = SELECT "id = ?1",
    [READER_LIST] = SELECT NEWEST,
    [READER_LIST_SERVICE] = SELECT "service = ?1 AND" NEWEST,
    [READER_LIST_STATE] = SELECT "state = ?2 AND" NEWEST,
    [READER_LIST_SERVICE_STATE] = SELECT "service = ?1 AND +state = ?2 AND" NEWEST,
    [READER_LIST_BATCH] = SELECT "batch = ?5 AND (?1 IS NULL OR +service = ?1)"
                                 " AND (?2 IS NULL OR +state = ?2) AND" NEWEST,
    [READER_FIND_KEY] = ("SELECT request, operation, batch FROM keys"
                         " WHERE identity = ?1 AND key = ?2 AND accepted_utc >= ?3"),
    /* Rows never overlap: only the last that begins before may end after. */
    [READER_EVENTS] = ("SELECT text FROM events WHERE last > ?1 AND first >= coalesce("
                       "(SELECT first FROM events WHERE first <= ?1 ORDER BY first DESC LIMIT 1),"
                       " ?1) ORDER BY first"),
};

struct lock_class readers_lock_class;

static void readers_lock(struct readers *r) ACQUIRE(readers_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&r->lock);
}

static void readers_unlock(struct readers *r) RELEASE(readers_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&r->lock);
}

static void reader_close(struct reader *reader)
{
    for (size_t i = 0; i < READER_STATEMENTS; i++) {
        sqlite3_finalize(reader->statements[i]);
        reader->statements[i] = NULL;
    }
    sqlite3_close(reader->db);
    reader->db = NULL;
}

static void reader_free(struct reader *reader)
{
    reader_close(reader);
    free(reader);
}

/* A thread that has read ends. */
static void thread_ends(void *value)
{
    struct reader *reader = value;
    struct readers *readers = reader->readers;

    readers_lock(readers);
    list_remove(&reader->link);
    readers_unlock(readers);
    reader_free(reader);
}

int readers_init(struct readers *r, const char *path, struct opening *opening,
                 struct error *err) NO_THREAD_SAFETY_CHECK
{
    int result;

    *r = (struct readers){.path = strdup(path), .opening = opening};
    if (!r->path)
        return error_set(err, -ENOMEM, "journal %s: %m", path);
    result = pthread_key_create(&r->key, thread_ends);
    if (result != 0) {
        free(r->path);
        return error_set(err, -result, "journal %s: a key for its readers: %m", path);
    }
    list_init(&r->all);
    lock_init(&r->lock, LOCK_READERS);
    return 0;
}

void readers_deinit(struct readers *r)
{
    struct list left;

    list_init(&left);
    pthread_key_delete(r->key); /* no thread's end looks here any more */
    readers_lock(r);
    list_take_all(&left, &r->all);
    readers_unlock(r);
    list_for_each_safe(link, &left) reader_free(list_entry(link, struct reader, link));
    lock_deinit(&r->lock);
    free(r->path);
}

static int reader_new(struct readers *r, struct reader **ret_reader, struct error *err)
{
    struct reader *reader = calloc(1, sizeof *reader);

    if (!reader)
        return error_set(err, -ENOMEM, "%m");
    list_init(&reader->link);
    reader->readers = r;
    if (pthread_setspecific(r->key, reader) != 0) {
        reader_free(reader);
        return error_set(err, -ENOMEM, "%m");
    }
    *ret_reader = reader;
    return 0;
}

/* Opens what now stands at the path, unless that is open already. */
static int reader_open(struct reader *reader, struct error *err)
{
    struct readers *r = reader->readers;
    int result;

    if (reader->db && reader->epoch == atomic_load(&r->opening->epoch))
        return 0;
    reader_close(reader);
    if (!opening_enter(r->opening, &reader->epoch))
        return error_set(err, -EBUSY, "it is just being opened for writing");
    result = connection_open_reader(r->path, &reader->db, err);
    if (result < 0 && reader->epoch == 0)
        opening_leave(r->opening);
    return result;
}

/* As long as nobody can write, nothing is kept open. */
void reader_done(struct reader *reader)
{
    if (reader->epoch > 0)
        return;
    reader_close(reader);
    opening_leave(reader->readers->opening);
}

int readers_mine(struct readers *r, struct reader **ret_reader, struct error *err)
{
    struct reader *reader = pthread_getspecific(r->key);
    int result;

    if (!reader) {
        result = reader_new(r, &reader, err);
        if (result < 0)
            return result;
        readers_lock(r);
        list_append(&r->all, &reader->link);
        readers_unlock(r);
    }
    result = reader_open(reader, err);
    if (result == 0)
        *ret_reader = reader;
    return result;
}

int reader_statement(struct reader *reader, enum reader_statement which,
                     sqlite3_stmt **ret_statement, struct error *err)
{
    int result = 0;

    if (!reader->statements[which])
        result = connection_prepare(reader->db, sql[which], &reader->statements[which], err);
    if (result == 0)
        *ret_statement = reader->statements[which];
    return result;
}

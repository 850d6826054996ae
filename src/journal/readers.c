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

static void reader_free(struct reader *reader)
{
    for (size_t i = 0; i < READER_STATEMENTS; i++)
        sqlite3_finalize(reader->statements[i]);
    sqlite3_close(reader->db);
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

int readers_init(struct readers *r, const char *path, struct error *err) NO_THREAD_SAFETY_CHECK
{
    int result;

    *r = (struct readers){.path = strdup(path)};
    if (!r->path)
        return error_set(err, -ENOMEM, "journal %s: %m", path);
    result = pthread_key_create(&r->key, thread_ends);
    if (result != 0) {
        free(r->path);
        return error_set(err, -result, "journal %s: a key for its readers: %m", path);
    }
    list_init(&r->all);
    lock_init(&r->lock);
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
    int result;

    if (!reader)
        return error_set(err, -ENOMEM, "%m");
    list_init(&reader->link);
    reader->readers = r;
    result = connection_open(r->path, CONNECTION_READER, &reader->db, err);
    if (result == 0 && pthread_setspecific(r->key, reader) != 0)
        result = error_set(err, -ENOMEM, "%m");
    if (result < 0) {
        reader_free(reader);
        return result;
    }
    *ret_reader = reader;
    return 0;
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
    *ret_reader = reader;
    return 0;
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

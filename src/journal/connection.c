#include "connection.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define READER_BUSY_MS 1000

/* Small caches: what polls read comes from memory, the journal is read now and then. The log is cut
 * back to 4 MiB after a long reader has held it open. */
static const char *const pragmas[] = {
    [CONNECTION_WRITER] = "PRAGMA foreign_keys = OFF;"
                          "PRAGMA temp_store = MEMORY;"
                          "PRAGMA mmap_size = 0;"
                          "PRAGMA cache_size = -512;"
                          "PRAGMA journal_size_limit = 4194304;",
    [CONNECTION_READER] = "PRAGMA temp_store = MEMORY;"
                          "PRAGMA mmap_size = 0;"
                          "PRAGMA cache_size = -128;"
                          "PRAGMA query_only = ON;",
};

void connection_closep(sqlite3 **db)
{
    sqlite3_close(*db);
}

void connection_discardp(sqlite3 **db)
{
    if (*db)
        sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(*db);
}

void statement_finalizep(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}

static int result_errno(int result)
{
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return -EBUSY;
    case SQLITE_FULL: return -ENOSPC;
    case SQLITE_READONLY: return -EROFS;
    case SQLITE_NOMEM: return -ENOMEM;
    case SQLITE_PERM:
    case SQLITE_AUTH: return -EACCES;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return -EBADMSG;
    default: return -EIO;
    }
}

/* What the system said is more than SQLite's own class of it. */
static int cause_errno(int cause, int result)
{
    switch (cause) {
    case ENOSPC:
    case EDQUOT: return -ENOSPC;
    case EROFS: return -EROFS;
    case EACCES:
    case EPERM: return -EACCES;
    default: return result_errno(result);
    }
}

int connection_error(sqlite3 *db, int result, struct error *err)
{
    bool latest = db && (sqlite3_errcode(db) & 0xff) == (result & 0xff);
    const char *words = latest ? sqlite3_errmsg(db) : sqlite3_errstr(result);
    int primary = result & 0xff;
    int cause = latest ? sqlite3_system_errno(db) : 0;

    if (cause != 0 && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN))
        return error_set(err, cause_errno(cause, result), "%s (%s)", words, strerrordesc_np(cause));
    return error_set(err, result_errno(result), "%s", words);
}

/* Escaped as an URI asks for it; NULL without memory. */
static char *immutable_uri(const char *path)
{
    struct text uri = {0};

    text_append(&uri, "file:");
    for (const char *c = path; *c; c++)
        if (*c == '?' || *c == '#' || *c == '%')
            text_appendf(&uri, "%%%02X", (unsigned char)*c);
        else
            text_append_n(&uri, c, 1);
    text_append(&uri, "?immutable=1");
    return text_take(&uri);
}

/* A folder that takes no file has no room for the log's index. Where no log is left, nothing is
 * missed without it. */
static int open_immutable(const char *path, sqlite3 **ret_db, struct error *err)
{
    CLEANUP(connection_closep) sqlite3 *db = NULL;
    CLEANUP(freep) char *log = NULL;
    CLEANUP(freep) char *uri = immutable_uri(path);
    int result;

    if (asprintf(&log, "%s-wal", path) < 0)
        log = NULL;
    if (!uri || !log)
        return error_set(err, -ENOMEM, "%m");
    if (access(log, F_OK) == 0)
        return -EEXIST;
    result = sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
                             NULL);
    if (result != SQLITE_OK)
        return connection_error(db, result, err);
    result = connection_execute(db, "PRAGMA schema_version", err);
    if (result == 0)
        *ret_db = take(db);
    return result;
}

int connection_open_reader(const char *path, sqlite3 **ret_db, struct error *err)
{
    CLEANUP(connection_closep) sqlite3 *db = NULL;
    struct error why = {0};
    int result = connection_open(path, CONNECTION_READER, &db, err);

    if (result == 0) {
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        result = connection_execute(db, "PRAGMA schema_version", err);
    }
    if (result < 0 && result != -EBUSY && result != -EBADMSG &&
        open_immutable(path, ret_db, &why) == 0)
        return 0;
    if (result == 0)
        *ret_db = take(db);
    return result;
}

int connection_open(const char *path, enum connection_kind kind, sqlite3 **ret_db,
                    struct error *err)
{
    int flags = kind == CONNECTION_WRITER ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    CLEANUP(connection_closep) sqlite3 *db = NULL;
    int result;

    if (!sqlite3_threadsafe())
        return error_set(err, -ENOTSUP, "this SQLite library was built without thread safety");
    result = kind == CONNECTION_WRITER ? FAULT_SQLITE(journal_open) : FAULT_SQLITE(journal_read);
    if (result == SQLITE_OK)
        result = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (result != SQLITE_OK)
        return connection_error(db, result, err);
    sqlite3_busy_timeout(db, kind == CONNECTION_READER ? READER_BUSY_MS : 0);
    result = connection_execute(db, pragmas[kind], err);
    if (result < 0)
        return result;
    *ret_db = take(db);
    return 0;
}

int connection_execute(sqlite3 *db, const char *sql, struct error *err)
{
    int result = sqlite3_exec(db, sql, NULL, NULL, NULL);

    return result == SQLITE_OK ? 0 : connection_error(db, result, err);
}

int connection_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_statement,
                       struct error *err)
{
    int result = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL);

    return result == SQLITE_OK ? 0 : connection_error(db, result, err);
}

int connection_integer(sqlite3 *db, const char *sql, int64_t missing, int64_t *ret_value,
                       struct error *err)
{
    CLEANUP(statement_finalizep) sqlite3_stmt *statement = NULL;
    int result = connection_prepare(db, sql, &statement, err);

    if (result < 0)
        return result;
    result = sqlite3_step(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        return connection_error(db, result, err);
    *ret_value = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : missing;
    return 0;
}

int connection_text(sqlite3 *db, const char *sql, char **ret_text, struct error *err)
{
    CLEANUP(statement_finalizep) sqlite3_stmt *statement = NULL;
    const char *found;
    char *copy = NULL;
    int result = connection_prepare(db, sql, &statement, err);

    if (result < 0)
        return result;
    result = sqlite3_step(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        return connection_error(db, result, err);
    if (result == SQLITE_ROW) {
        found = (const char *)sqlite3_column_text(statement, 0);
        copy = strdup(found ? found : "");
        if (!copy)
            return error_set(err, -ENOMEM, "%m");
    }
    *ret_text = copy;
    return 0;
}

int statement_run(sqlite3_stmt *statement)
{
    sqlite3_step(statement);
    return sqlite3_reset(statement); /* repeats the failure of the step */
}

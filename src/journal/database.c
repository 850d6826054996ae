#include "database.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "connection.h"
#include "schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define FILE_MODE 0640

/* SQLite gives -wal and -shm the mode of the file itself. */
static int make_file(const char *path, struct error *err)
{
    CLEANUP(closep) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);

    if (fd < 0)
        return errno == EEXIST ? 0 : error_set(err, -errno, "make it: %m");
    if (fchmod(fd, FILE_MODE) < 0) /* whatever the umask is */
        return error_set(err, -errno, "set its mode: %m");
    return 0;
}

/* SQLite removes the log when the last connection closes: one that is there was left by a daemon
 * that did not get to close. */
static bool log_left(const char *path)
{
    CLEANUP(freep) char *log = NULL;
    struct stat st;

    if (asprintf(&log, "%s-wal", path) < 0) {
        log = NULL;
        return true;
    }
    return stat(log, &st) == 0 && st.st_size > 0;
}

static int check(sqlite3 *db, struct error *err)
{
    CLEANUP(freep) char *verdict = NULL;
    int result = connection_text(db, "PRAGMA quick_check(1)", &verdict, err);

    if (result < 0 || (verdict && strcmp(verdict, "ok") == 0))
        return result;
    return error_set(err, -EBADMSG, "%s", verdict ? verdict : "it cannot be checked");
}

static int enter_wal(sqlite3 *db, struct error *err)
{
    CLEANUP(freep) char *mode = NULL;
    int result = connection_text(db, "PRAGMA journal_mode = WAL", &mode, err);

    if (result < 0 || (mode && strcmp(mode, "wal") == 0))
        return result;
    return error_set(err, -ENOTSUP, "a write-ahead log is not possible on this file system");
}

/* A connection that is not to be kept writes nothing into what may have to be examined. */
static int try_open(const struct database_options *options, sqlite3 **ret_db, struct error *err)
{
    CLEANUP(connection_discardp) sqlite3 *db = NULL;
    bool unclean = options->check && log_left(options->path);
    int result = make_file(options->path, err);

    if (result == 0)
        result = connection_open(options->path, CONNECTION_WRITER, &db, err);
    if (result == 0 && sqlite3_db_readonly(db, "main") == 1) /* SQLite made do with that */
        result = error_set(err, -EROFS, "it may only be read");
    if (result < 0)
        return result;
    sqlite3_busy_timeout(db, options->busy_ms);
    if (unclean)
        result = check(db, err);
    if (result == 0)
        result = enter_wal(db, err);
    if (result == 0)
        result = connection_execute(db,
                                    options->durability_full ? "PRAGMA synchronous = FULL"
                                                             : "PRAGMA synchronous = NORMAL",
                                    err);
    if (result == 0)
        result = schema_migrate(db, err);
    if (result < 0)
        return result;
    sqlite3_busy_timeout(db, 0);
    *ret_db = take(db);
    return 0;
}

static int rename_aside(const char *path, const char *aside, const char *suffix, struct error *err)
{
    CLEANUP(freep) char *from = NULL;
    CLEANUP(freep) char *to = NULL;

    if (asprintf(&from, "%s%s", path, suffix) < 0) {
        from = NULL;
        return error_set(err, -ENOMEM, "%m");
    }
    if (asprintf(&to, "%s%s", aside, suffix) < 0) {
        to = NULL;
        return error_set(err, -ENOMEM, "%m");
    }
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) < 0 && errno != ENOENT)
        return error_set(err, -errno, "set it aside as %s: %m", to);
    return 0;
}

/* The file goes first: a log that is left behind is ignored by a new, empty file, but a corrupt
 * file without its log would hide what the log still holds. */
static int set_aside(const char *path, struct error *err)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    CLEANUP(freep) char *aside = NULL;
    int64_t now = clock_utc_us();
    time_t seconds = (time_t)(now / USEC_PER_SEC);
    char when[32];
    struct tm tm;
    int result = 0;

    gmtime_r(&seconds, &tm);
    strftime(when, sizeof when, "%Y%m%dT%H%M%S", &tm);
    if (asprintf(&aside, "%s.corrupt-%s.%06dZ", path, when, (int)(now % USEC_PER_SEC)) < 0) {
        aside = NULL;
        return error_set(err, -ENOMEM, "%m");
    }
    for (size_t i = 0; result == 0 && i < sizeof suffixes / sizeof *suffixes; i++)
        result = rename_aside(path, aside, suffixes[i], err);
    return result;
}

int database_open(const struct database_options *options, sqlite3 **ret_db, bool *ret_set_aside,
                  struct error *err)
{
    bool corrupt = false;
    int result = try_open(options, ret_db, err);

    if (result == -EBADMSG) {
        corrupt = true;
        result = set_aside(options->path, err);
        if (result == 0)
            result = try_open(options, ret_db, err);
    }
    if (result < 0)
        return result;
    *ret_set_aside = corrupt;
    return 0;
}

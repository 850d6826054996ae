#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events.h"

#include "backend/watcher.h"
#include "base/clock.h"
#include "base/text.h"
#include "journal/journal.h"

#include <dirent.h>
#include <inttypes.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST 1000

/* Events over a real journal, in a folder of its own. */
struct scene {
    char folder[64], path[80];
    struct watcher *watcher;
    struct wait_set waits;
    struct journal *journal;
    struct events events;
};

static void open_scene_journal(struct scene *scene)
{
    const struct journal_config config = {
        .path = scene->path, .boot_id = "boot", .history_age_us = 3600 * USEC_PER_SEC};
    bool aside;

    assert_int_equal(journal_open(&config, &scene->journal, &aside, NULL), 0);
}

static int setup(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);

    assert_non_null(scene);
    snprintf(scene->folder, sizeof scene->folder, "/tmp/orderly-events-XXXXXX");
    assert_non_null(mkdtemp(scene->folder));
    snprintf(scene->path, sizeof scene->path, "%s/state.db", scene->folder);
    assert_int_equal(watcher_start(&scene->watcher, NULL), 0);
    wait_set_init(&scene->waits, scene->watcher);
    open_scene_journal(scene);
    events_init(&scene->events, &scene->waits);
    events_begin(&scene->events, scene->journal, FIRST);
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    DIR *folder = opendir(scene->folder);
    struct dirent *entry;

    wait_set_release(&scene->waits);
    journal_close(scene->journal);
    events_deinit(&scene->events);
    watcher_stop(scene->watcher);
    wait_set_deinit(&scene->waits);
    while ((entry = readdir(folder)))
        unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    assert_int_equal(rmdir(scene->folder), 0);
    free(scene);
    return 0;
}

/* So many, given to the journal every few. */
static void tell(struct scene *scene, int count, int every)
{
    for (int i = 1; i <= count; i++) {
        events_add(&scene->events, (enum event_kind)(i % 5), i % 2 ? "web" : NULL,
                   ",\"x\":\"\\n\"");
        if (i % every == 0)
            events_flush(&scene->events);
    }
    events_flush(&scene->events);
}

static void written(void *context, int result)
{
    assert_int_equal(result, 0);
    sem_post(context);
}

/* Events are written with the next thing that presses. */
static void wait_written(struct scene *scene)
{
    struct service_record record = {"web", {STATE_RUNNING, GOAL_UP, 1, 0}};
    sem_t done;
    struct journal_entry entry = {.service = &record, .done = written, .context = &done};

    sem_init(&done, 0, 0);
    assert_int_equal(journal_submit(scene->journal, &entry, 1), 0);
    sem_wait(&done);
    sem_destroy(&done);
}

struct seen {
    int64_t first, last;
    size_t count;
    bool gap;
};

static void see(void *context, int64_t id, enum event_kind kind, const char *json)
{
    struct seen *seen = context;
    char begin[64];

    snprintf(begin, sizeof begin, "{\"id\":%" PRId64 ",\"at\":", id);
    assert_memory_equal(json, begin, strlen(begin));
    assert_non_null(strstr(json, name_of(&event_kind_names, (int)kind)));
    seen->gap = seen->gap || (seen->count > 0 && id != seen->last + 1);
    if (seen->count++ == 0)
        seen->first = id;
    seen->last = id;
}

static size_t read_piece(struct scene *scene, size_t most, struct seen *seen)
{
    const struct event_visitor visitor = {see, seen};
    size_t before = seen->count;

    assert_int_equal(events_read(&scene->events, seen->last, most, &visitor, NULL), 0);
    assert_true(seen->count - before <= most);
    return seen->count - before;
}

static struct seen read_all(struct scene *scene, int64_t after, size_t most)
{
    struct seen seen = {.last = after};

    while (read_piece(scene, most, &seen) > 0)
        ;
    return seen;
}

static void what_was_told_is_read_in_order_in_pieces_of_any_size(void **state)
{
    const size_t pieces[] = {1, 2, 7, 64, 100000};
    struct scene *scene = *state;

    tell(scene, 300, 3);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct seen seen = read_all(scene, FIRST + 9, pieces[i]);

        assert_false(seen.gap);
        assert_int_equal(seen.first, FIRST + 10);
        assert_int_equal(seen.last, FIRST + 299);
        assert_int_equal(seen.count, 290);
    }
    assert_int_equal(events_last(&scene->events), FIRST + 299);
}

/* The journal's rows and the memory's beginning do not meet at the end of a row. */
static void what_memory_no_longer_holds_comes_from_the_journal_without_a_seam(void **state)
{
    const size_t pieces[] = {1, 13, 128, 5000, 100000};
    struct scene *scene = *state;
    const int count = EVENTS_KEPT + 1234;

    tell(scene, count, 17);
    wait_written(scene);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct seen seen = read_all(scene, FIRST - 500, pieces[i]);

        assert_false(seen.gap);
        assert_int_equal(seen.first, FIRST);
        assert_int_equal(seen.last, FIRST + count - 1);
        assert_int_equal(seen.count, count);
    }
}

static void what_is_not_flushed_is_not_told(void **state)
{
    struct scene *scene = *state;

    tell(scene, 5, 5);
    events_add(&scene->events, EVENT_KIND_DAEMON, NULL, "");
    assert_int_equal(read_all(scene, 0, 10).last, FIRST + 4);
    assert_int_equal(events_last(&scene->events), FIRST + 4);
    events_flush(&scene->events);
    assert_int_equal(read_all(scene, 0, 10).last, FIRST + 5);
}

/* As the operations of a large batch are. */
static void add_unflushed(struct scene *scene, int count)
{
    for (int i = 0; i < count; i++)
        events_add(&scene->events, EVENT_KIND_OPERATION, "web", "");
}

static void more_than_memory_holds_told_in_one_go_leaves_no_gap(void **state)
{
    struct scene *scene = *state;
    const int count = 3 * EVENTS_KEPT;
    struct seen seen;

    add_unflushed(scene, count);
    events_flush(&scene->events);
    wait_written(scene);
    seen = read_all(scene, 0, 100);
    assert_false(seen.gap);
    assert_int_equal(seen.first, FIRST);
    assert_int_equal(seen.count, count);
}

static void what_waits_for_a_row_to_land_may_be_overtaken_by_what_is_told_in_one_go(void **state)
{
    struct scene *scene = *state;
    struct seen seen;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(scene->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    tell(scene, 4, 2); /* two are on their way, two wait */
    add_unflushed(scene, EVENTS_KEPT + 5);
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    wait_written(scene);
    events_flush(&scene->events);
    wait_written(scene);
    seen = read_all(scene, 0, 100);
    assert_false(seen.gap);
    assert_int_equal(seen.count, 4 + EVENTS_KEPT + 5);
}

static void the_next_daemon_tells_what_the_one_before_has_told(void **state)
{
    struct scene *scene = *state;
    struct seen seen;

    tell(scene, 100, 7);
    journal_close(scene->journal);
    events_deinit(&scene->events);
    memset(&scene->events, 0, sizeof scene->events);
    open_scene_journal(scene);
    events_init(&scene->events, &scene->waits);
    events_begin(&scene->events, scene->journal, FIRST + 100000);
    tell(scene, 50, 7);
    seen = read_all(scene, 0, 9);
    assert_int_equal(seen.count, 150);
    assert_int_equal(seen.first, FIRST);
    assert_int_equal(seen.last, FIRST + 100049);
    assert_int_equal(read_all(scene, FIRST + 5000, 9).count, 50); /* from in between */
}

static void count_call(void *context)
{
    ++*(int *)context;
}

static void while_another_program_holds_the_journal_memory_is_told_and_nothing_is_lost(void **state)
{
    struct scene *scene = *state;
    struct seen seen;
    sqlite3 *db;
    int calls = 0;

    assert_int_equal(sqlite3_open(scene->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    tell(scene, EVENTS_KEPT + 100, 50);
    seen = read_all(scene, FIRST + 99, 1000);
    assert_false(seen.gap);
    assert_int_equal(seen.first, FIRST + 100);
    assert_int_equal(seen.count, EVENTS_KEPT);
    assert_int_equal(read_all(scene, 0, 1000).count, 0); /* not yet */
    events_wait(&scene->events, 0, CLOCK_NEVER, count_call, &calls);
    assert_int_equal(calls, 0);
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    journal_close(scene->journal); /* writes what waits */
    assert_int_equal(calls, 1);
    open_scene_journal(scene);
    scene->events.journal = scene->journal;
    seen = read_all(scene, 0, 1000);
    assert_false(seen.gap);
    assert_int_equal(seen.count, EVENTS_KEPT + 100);
}

/* A turn's few events are given to the journal with those of other turns when it is busy. */
static void what_is_told_while_the_journal_is_held_goes_into_few_rows(void **state)
{
    struct scene *scene = *state;
    sqlite3_stmt *count;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(scene->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    tell(scene, 1000, 2);
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    journal_close(scene->journal);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*), sum(last - first + 1) FROM events",
                                        -1, &count, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(count), SQLITE_ROW);
    assert_in_range(sqlite3_column_int(count, 0), 4, 6); /* of 256; the first one, and the rest */
    assert_int_equal(sqlite3_column_int(count, 1), 1000);
    sqlite3_finalize(count);
    sqlite3_close(db);
    open_scene_journal(scene);
    scene->events.journal = scene->journal;
    assert_int_equal(read_all(scene, 0, 100).count, 1000);
}

static void who_waits_is_called_once_something_comes_and_at_once_when_it_has(void **state)
{
    struct scene *scene = *state;
    int calls = 0;

    tell(scene, 3, 3);
    events_wait(&scene->events, FIRST + 1, CLOCK_NEVER, count_call, &calls);
    assert_int_equal(calls, 1);
    events_wait(&scene->events, FIRST + 2, CLOCK_NEVER, count_call, &calls);
    assert_int_equal(calls, 1);
    events_add(&scene->events, EVENT_KIND_DAEMON, NULL, "");
    assert_int_equal(calls, 1);
    events_flush(&scene->events);
    assert_int_equal(calls, 2);
    events_flush(&scene->events); /* nothing is new */
    assert_int_equal(calls, 2);
}

/* ---- from many threads ---- */

#define TELLERS 4
#define EACH    2000

static void *tell_many(void *scene)
{
    tell(scene, EACH, 3);
    return NULL;
}

static void a_reader_misses_and_doubles_nothing_while_many_tell(void **state)
{
    struct scene *scene = *state;
    struct seen seen = {.last = FIRST - 1};
    pthread_t threads[TELLERS];

    for (int i = 0; i < TELLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, tell_many, scene), 0);
    while (seen.count < 1000)
        read_piece(scene, 50, &seen);
    for (int i = 0; i < TELLERS; i++)
        pthread_join(threads[i], NULL);
    wait_written(scene);
    while (read_piece(scene, 50, &seen) > 0)
        ;
    assert_false(seen.gap);
    assert_int_equal(seen.count, TELLERS * EACH);
    wait_written(scene);
    seen = read_all(scene, 0, 333);
    assert_false(seen.gap);
    assert_int_equal(seen.count, TELLERS * EACH);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_told_is_read_in_order_in_pieces_of_any_size),
        TEST(what_memory_no_longer_holds_comes_from_the_journal_without_a_seam),
        TEST(what_is_not_flushed_is_not_told),
        TEST(more_than_memory_holds_told_in_one_go_leaves_no_gap),
        TEST(what_waits_for_a_row_to_land_may_be_overtaken_by_what_is_told_in_one_go),
        TEST(the_next_daemon_tells_what_the_one_before_has_told),
        TEST(while_another_program_holds_the_journal_memory_is_told_and_nothing_is_lost),
        TEST(what_is_told_while_the_journal_is_held_goes_into_few_rows),
        TEST(who_waits_is_called_once_something_comes_and_at_once_when_it_has),
        TEST(a_reader_misses_and_doubles_nothing_while_many_tell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

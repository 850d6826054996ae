/* What readers of the status see, and how those who wait are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "board.h"

struct fixture {
    struct watcher *watcher;
    struct wait_set waits;
    struct board board;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    assert_int_equal(watcher_start(&f->watcher, NULL), 0);
    wait_set_init(&f->waits, f->watcher);
    assert_int_equal(board_init(&f->board, &f->waits, NULL), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    wait_set_release(&f->waits);
    watcher_stop(f->watcher);
    board_deinit(&f->board);
    wait_set_deinit(&f->waits);
    free(f);
    return 0;
}

static void show(struct fixture *f, const char *name, enum service_state value)
{
    struct service_status status = {.spec = spec_new(name), .state = value};

    assert_non_null(status.spec);
    board_publish(&f->board, board_place(&f->board, name), &status);
}

struct seen {
    char names[256];
    char removed[256];
};

static void see_service(void *context, const struct service_status *status, uint64_t changed)
{
    struct seen *seen = context;

    (void)changed;
    strcat(strcat(seen->names, status->spec->name), " ");
}

static void see_removed(void *context, const char *name)
{
    struct seen *seen = context;

    strcat(strcat(seen->removed, name), " ");
}

static bool look(struct fixture *f, uint64_t since, struct seen *seen, uint64_t *ret_number)
{
    struct status_visitor visitor = {see_service, see_removed, seen};
    struct revision revision;
    bool known;

    memset(seen, 0, sizeof *seen);
    known = board_read(&f->board, since, &visitor, &revision);
    *ret_number = revision.number;
    return known;
}

static void services_are_shown_in_the_order_of_their_names(void **state)
{
    struct fixture *f = *state;
    struct seen seen;
    uint64_t number;

    show(f, "web", STATE_RUNNING);
    show(f, "api", STATE_RUNNING);
    show(f, "db", STATE_STOPPED);
    assert_true(look(f, 0, &seen, &number));
    assert_string_equal(seen.names, "api db web ");
}

static void since_a_revision_only_what_changed_is_shown(void **state)
{
    struct fixture *f = *state;
    struct seen seen;
    uint64_t number, later;

    show(f, "a", STATE_RUNNING);
    show(f, "b", STATE_RUNNING);
    look(f, 0, &seen, &number);
    assert_true(look(f, number, &seen, &later));
    assert_string_equal(seen.names, "");
    assert_int_equal(number, later);
    show(f, "b", STATE_STOPPED);
    assert_true(look(f, number, &seen, &later));
    assert_string_equal(seen.names, "b ");
    assert_true(later > number);
}

static void what_was_removed_is_told_until_it_is_back(void **state)
{
    struct fixture *f = *state;
    struct seen seen;
    uint64_t number, later;

    show(f, "a", STATE_RUNNING);
    look(f, 0, &seen, &number);
    board_publish(&f->board, board_place(&f->board, "a"), NULL);
    assert_null(board_status(&f->board, "a"));
    assert_true(look(f, number, &seen, &later));
    assert_string_equal(seen.removed, "a ");
    show(f, "a", STATE_RUNNING);
    assert_true(look(f, number, &seen, &later));
    assert_string_equal(seen.removed, "");
    assert_string_equal(seen.names, "a ");
}

static void a_revision_of_too_long_ago_gives_everything(void **state)
{
    struct fixture *f = *state;
    struct seen seen;
    uint64_t number, later;

    show(f, "stays", STATE_RUNNING);
    look(f, 0, &seen, &number);
    for (int i = 0; i <= BOARD_REMOVED; i++) {
        show(f, "goes", STATE_RUNNING);
        board_publish(&f->board, board_place(&f->board, "goes"), NULL);
    }
    assert_false(look(f, number, &seen, &later));
    assert_string_equal(seen.names, "stays ");
    assert_false(look(f, later + 1, &seen, &later)); /* of another daemon */
}

static void called(void *context)
{
    sem_post(context);
}

static void a_wait_ends_with_the_change_or_at_its_time_or_at_the_release(void **state)
{
    struct fixture *f = *state;
    sem_t calls;
    int left;

    sem_init(&calls, 0, 0);
    show(f, "a", STATE_RUNNING);
    uint64_t now = board_revision(&f->board).number;

    board_wait(&f->board, now - 1, CLOCK_NEVER, called, &calls); /* has changed already */
    assert_int_equal(sem_trywait(&calls), 0);
    board_wait(&f->board, now, CLOCK_NEVER, called, &calls);
    assert_int_equal(sem_trywait(&calls), -1);
    show(f, "a", STATE_STOPPED);
    assert_int_equal(sem_trywait(&calls), 0);
    board_wait(&f->board, now + 1, clock_mono_us(), called, &calls);
    sem_wait(&calls); /* the time */
    board_wait(&f->board, now + 1, clock_mono_us() + 3600 * USEC_PER_SEC, called, &calls);
    wait_set_release(&f->waits);
    assert_int_equal(sem_trywait(&calls), 0);
    board_wait(&f->board, now + 1, CLOCK_NEVER, called, &calls); /* after it: at once */
    assert_int_equal(sem_trywait(&calls), 0);
    sem_getvalue(&calls, &left);
    assert_int_equal(left, 0); /* each exactly once */
    sem_destroy(&calls);
}

struct racer {
    struct fixture *f;
    sem_t *calls;
};

static void *wait_often(void *argument)
{
    struct racer *r = argument;

    for (int i = 0; i < 2000; i++)
        board_wait(&r->f->board, board_revision(&r->f->board).number, clock_mono_us() + i % 3,
                   called, r->calls);
    return NULL;
}

static void every_wait_is_called_once_whoever_comes_first(void **state)
{
    struct fixture *f = *state;
    struct racer racer = {f, NULL};
    pthread_t waiters[2];
    sem_t calls;
    int left;

    sem_init(&calls, 0, 0);
    racer.calls = &calls;
    show(f, "a", STATE_RUNNING);
    for (int i = 0; i < 2; i++)
        assert_int_equal(thread_start(&waiters[i], "waiter", wait_often, &racer), 0);
    for (int i = 0; i < 2000; i++)
        board_touch(&f->board);
    for (int i = 0; i < 2; i++)
        pthread_join(waiters[i], NULL);
    wait_set_release(&f->waits);
    watcher_stop(f->watcher); /* no deadline is in its callback any more */
    f->watcher = NULL;
    sem_getvalue(&calls, &left);
    assert_int_equal(left, 4000);
    sem_destroy(&calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(services_are_shown_in_the_order_of_their_names),
        TEST(since_a_revision_only_what_changed_is_shown),
        TEST(what_was_removed_is_told_until_it_is_back),
        TEST(a_revision_of_too_long_ago_gives_everything),
        TEST(a_wait_ends_with_the_change_or_at_its_time_or_at_the_release),
        TEST(every_wait_is_called_once_whoever_comes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

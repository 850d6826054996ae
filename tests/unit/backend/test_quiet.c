/* Quiet: it falls once after each time that something was done, and not before its time. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "backend/quiet.h"
#include "base/clock.h"
#include "base/list.h"

#include <semaphore.h>

#define AFTER (200 * USEC_PER_MSEC)

struct room {
    struct quiet quiet;
    sem_t fell;
    atomic_int times;
    atomic_uint stirs; /* when it fell last */
};

static void fell(struct quiet *quiet, unsigned stirs)
{
    struct room *room = list_entry(quiet, struct room, quiet);

    atomic_fetch_add(&room->times, 1);
    room->stirs = stirs;
    sem_post(&room->fell);
}

static void await(struct room *room)
{
    while (sem_wait(&room->fell) < 0)
        ;
}

static void it_falls_once_after_each_time_that_something_was_done(void **state)
{
    struct room room = {0};
    struct watcher *watcher = NULL;
    int64_t stirred;

    (void)state;
    assert_int_equal(watcher_start(&watcher, NULL), 0);
    assert_int_equal(sem_init(&room.fell, 0, 0), 0);
    quiet_init(&room.quiet, watcher, AFTER, fell);
    for (int times = 1; times <= 2; times++) {
        stirred = clock_mono_us();
        quiet_stir(&room.quiet);
        await(&room);
        assert_true(clock_mono_us() - stirred >= AFTER);
        assert_int_equal(atomic_load(&room.times), times);
        assert_int_equal(atomic_load(&room.stirs), 1);
    }
    quiet_stir(&room.quiet);
    quiet_deinit(&room.quiet); /* mostly before it falls, which it does not any more then */
    watcher_stop(watcher);
    assert_in_range(atomic_load(&room.times), 2, 3);
    sem_destroy(&room.fell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_falls_once_after_each_time_that_something_was_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "patience.h"

/* The head's time is short, everything else takes as long as it takes. */
static const int64_t short_head[STAGE_COUNT] = {[STAGE_HEAD] = 20 * USEC_PER_MSEC,
                                                [STAGE_BODY] = 3600 * USEC_PER_SEC,
                                                [STAGE_WORK] = CLOCK_NEVER,
                                                [STAGE_ANSWER] = 20 * USEC_PER_MSEC,
                                                [STAGE_IDLE] = 3600 * USEC_PER_SEC};

/* Nobody is cut while a test makes its preparations. */
static const int64_t ample[STAGE_COUNT] = {[STAGE_HEAD] = 3600 * USEC_PER_SEC,
                                           [STAGE_BODY] = 3600 * USEC_PER_SEC,
                                           [STAGE_WORK] = CLOCK_NEVER,
                                           [STAGE_ANSWER] = 1800 * USEC_PER_SEC,
                                           [STAGE_IDLE] = 7200 * USEC_PER_SEC};

struct hall {
    struct watcher *watcher;
    struct patience patience;
    int ours[3], theirs[3];
    struct guest guests[3];
};

static int open_hall(void **state)
{
    struct hall *hall = calloc(1, sizeof *hall);

    if (!hall || watcher_start(&hall->watcher, NULL) < 0)
        return -1;
    patience_init(&hall->patience, hall->watcher, short_head);
    for (int i = 0; i < 3; i++) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
            return -1;
        hall->ours[i] = pair[0];
        hall->theirs[i] = pair[1];
    }
    *state = hall;
    return 0;
}

static int close_hall(void **state)
{
    struct hall *hall = *state;

    patience_deinit(&hall->patience);
    watcher_stop(hall->watcher);
    for (int i = 0; i < 3; i++) {
        close(hall->ours[i]);
        close(hall->theirs[i]);
    }
    free(hall);
    return 0;
}

static bool is_cut(struct hall *hall, int i)
{
    struct pollfd look = {.fd = hall->theirs[i], .events = POLLIN};

    return poll(&look, 1, 0) == 1 && look.revents & POLLHUP;
}

static void wait_cut(struct hall *hall, int i)
{
    struct pollfd look = {.fd = hall->theirs[i], .events = 0};

    assert_int_equal(poll(&look, 1, 60000), 1);
    assert_true(look.revents & POLLHUP);
}

static void admit(struct hall *hall, int i)
{
    patience_admit(&hall->patience, &hall->guests[i], hall->ours[i]);
}

static void admit_calmly(struct hall *hall, int i, enum stage stage)
{
    hall->patience.within = ample;
    admit(hall, i);
    guest_stage(&hall->guests[i], stage);
    hall->patience.within = short_head;
}

static void who_sends_nothing_is_shut_down(void **state)
{
    struct hall *hall = *state;

    admit(hall, 0);
    wait_cut(hall, 0);
    patience_dismiss(&hall->guests[0]);
}

/* Two come and go on; the third, which came last, is the only one that is cut. */
static void who_goes_on_to_the_next_stage_has_its_time(void **state)
{
    struct hall *hall = *state;

    admit_calmly(hall, 0, STAGE_BODY);
    admit_calmly(hall, 1, STAGE_WORK);
    admit(hall, 2);
    wait_cut(hall, 2);
    assert_false(is_cut(hall, 0));
    assert_false(is_cut(hall, 1));
    for (int i = 0; i < 3; i++)
        patience_dismiss(&hall->guests[i]);
}

/* The timer stands still or far off; the new end is nearer and must move it. */
static void an_earlier_end_is_not_overlooked(void **state)
{
    struct hall *hall = *state;

    admit_calmly(hall, 0, STAGE_IDLE);
    admit(hall, 1);
    wait_cut(hall, 1); /* by now the timer stands at the other's hour */
    assert_false(is_cut(hall, 0));
    guest_stage(&hall->guests[0], STAGE_ANSWER);
    wait_cut(hall, 0);
    patience_dismiss(&hall->guests[0]);
    patience_dismiss(&hall->guests[1]);
}

/* The daemon is behind with the first; the second came later, and is cut all the same. */
static void whose_bytes_lie_there_unread_is_cut_only_after_they_were_read(void **state)
{
    struct hall *hall = *state;
    char byte;

    assert_int_equal(write(hall->theirs[0], "G", 1), 1);
    admit(hall, 0);
    admit(hall, 1);
    wait_cut(hall, 1);
    assert_false(is_cut(hall, 0));
    assert_int_equal(read(hall->ours[0], &byte, 1), 1);
    wait_cut(hall, 0);
    patience_dismiss(&hall->guests[0]);
    patience_dismiss(&hall->guests[1]);
}

static void who_does_not_read_gains_nothing_by_sending(void **state)
{
    struct hall *hall = *state;

    assert_int_equal(write(hall->theirs[0], "G", 1), 1);
    admit_calmly(hall, 0, STAGE_WORK);
    guest_stage(&hall->guests[0], STAGE_ANSWER);
    wait_cut(hall, 0);
    patience_dismiss(&hall->guests[0]);
}

static void the_head_only_shortens_what_was_left(void **state)
{
    struct hall *hall = *state;
    struct guest *guest = &hall->guests[0];
    int64_t until;

    hall->patience.within = ample;
    admit(hall, 0);
    guest_stage(guest, STAGE_ANSWER);
    until = atomic_load(&guest->until);
    guest_stage(guest, STAGE_HEAD);
    assert_true(atomic_load(&guest->until) == until);
    guest_stage(guest, STAGE_IDLE);
    until = atomic_load(&guest->until);
    guest_stage(guest, STAGE_HEAD);
    assert_true(atomic_load(&guest->until) < until);
    patience_dismiss(guest);
}

/* The answer's end is near and armed; the peer goes on in time, and there is nothing to wake for
 * but the far end of its idleness, and nothing at all once it has gone. */
static void nothing_wakes_for_an_end_that_was_met(void **state)
{
    struct hall *hall = *state;
    struct guest *guest = &hall->guests[0];

    admit_calmly(hall, 0, STAGE_ANSWER);
    hall->patience.within = ample;
    guest_stage(guest, STAGE_IDLE);
    assert_true(atomic_load(&hall->patience.armed) == atomic_load(&guest->until));
    patience_dismiss(guest);
    assert_true(atomic_load(&hall->patience.armed) == CLOCK_NEVER);
}

static void many_who_come_and_go_leave_nothing_armed(void **state)
{
    struct hall *hall = *state;
    struct guest many[100];

    hall->patience.within = ample;
    for (int i = 0; i < 100; i++) {
        patience_admit(&hall->patience, &many[i], hall->ours[i % 3]);
        guest_stage(&many[i], STAGE_BODY);
        guest_stage(&many[i], STAGE_WORK);
        guest_stage(&many[i], STAGE_IDLE);
    }
    for (int i = 0; i < 100; i++)
        patience_dismiss(&many[i]);
    assert_true(atomic_load(&hall->patience.armed) == CLOCK_NEVER);
    for (int i = 0; i < 3; i++)
        assert_false(is_cut(hall, i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_sends_nothing_is_shut_down, open_hall, close_hall),
        cmocka_unit_test_setup_teardown(who_goes_on_to_the_next_stage_has_its_time, open_hall,
                                        close_hall),
        cmocka_unit_test_setup_teardown(an_earlier_end_is_not_overlooked, open_hall, close_hall),
        cmocka_unit_test_setup_teardown(
            whose_bytes_lie_there_unread_is_cut_only_after_they_were_read, open_hall, close_hall),
        cmocka_unit_test_setup_teardown(who_does_not_read_gains_nothing_by_sending, open_hall,
                                        close_hall),
        cmocka_unit_test_setup_teardown(the_head_only_shortens_what_was_left, open_hall,
                                        close_hall),
        cmocka_unit_test_setup_teardown(nothing_wakes_for_an_end_that_was_met, open_hall,
                                        close_hall),
        cmocka_unit_test_setup_teardown(many_who_come_and_go_leave_nothing_armed, open_hall,
                                        close_hall),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

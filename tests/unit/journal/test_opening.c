/* Readers and the opening of the writer's connection: who waits for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "opening.h"

#include <semaphore.h>

struct visitor {
    struct opening *opening;
    sem_t comes;
    bool entered;
    unsigned epoch;
};

static void *visit(void *argument)
{
    struct visitor *visitor = argument;

    sem_post(&visitor->comes);
    visitor->entered = opening_enter(visitor->opening, &visitor->epoch);
    return NULL;
}

static pthread_t send(struct visitor *visitor, struct opening *opening)
{
    pthread_t thread;

    *visitor = (struct visitor){.opening = opening};
    sem_init(&visitor->comes, 0, 0);
    assert_int_equal(thread_start(&thread, "visitor", visit, visitor), 0);
    sem_wait(&visitor->comes);
    return thread;
}

static void a_reader_waits_for_the_writer_s_attempt(void **state)
{
    struct opening opening = {0};
    struct visitor visitor;
    pthread_t thread;

    (void)state;
    opening_init(&opening);
    for (int i = 0; i < 100; i++) {
        bool opens = i == 99;

        assert_true(opening_begin(&opening));
        thread = send(&visitor, &opening);
        opening_done(&opening, opens);
        pthread_join(thread, NULL);
        assert_true(visitor.entered);
        assert_int_equal(visitor.epoch, opens ? 1 : 0);
        if (!opens)
            opening_leave(&opening);
        sem_destroy(&visitor.comes);
    }
    opening_deinit(&opening);
}

static void an_attempt_that_takes_too_long_is_not_waited_for(void **state)
{
    struct opening opening = {0};
    unsigned epoch;

    (void)state;
    opening_init(&opening);
    assert_true(opening_begin(&opening));
    assert_false(opening_enter(&opening, &epoch));
    opening_done(&opening, false);
    assert_true(opening_enter(&opening, &epoch));
    opening_leave(&opening);
    opening_deinit(&opening);
}

static void a_writer_does_not_open_while_somebody_reads(void **state)
{
    struct opening opening = {0};
    unsigned epoch;

    (void)state;
    opening_init(&opening);
    assert_true(opening_enter(&opening, &epoch));
    assert_int_equal(epoch, 0);
    assert_false(opening_begin(&opening));
    assert_true(opening_enter(&opening, &epoch)); /* nor does it keep the next one out */
    opening_leave(&opening);
    assert_false(opening_begin(&opening));
    opening_leave(&opening);
    assert_true(opening_begin(&opening));
    opening_done(&opening, true);
    assert_true(opening_enter(&opening, &epoch));
    assert_int_equal(epoch, 1);
    assert_true(opening_begin(&opening)); /* once it has opened, nobody has to wait any more */
    opening_done(&opening, true);
    opening_deinit(&opening);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_waits_for_the_writer_s_attempt),
        cmocka_unit_test(an_attempt_that_takes_too_long_is_not_waited_for),
        cmocka_unit_test(a_writer_does_not_open_while_somebody_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "op_queue.h"
#include "run_queue.h"

static struct op *push(struct op_queue *queue, enum action action, enum origin origin)
{
    struct op *op = op_new(NULL, "backend", action, origin, "uid:0", 0);

    assert_non_null(op);
    op->committed = true;
    op_queue_push(queue, op);
    return op;
}

static void take(struct op_queue *queue, struct op *op)
{
    op_queue_remove(queue, op);
    op_unref(op);
}

static void operations_leave_in_the_order_in_which_they_came(void **state)
{
    struct op_queue queue;
    struct op *first, *second, *third;

    (void)state;
    op_queue_init(&queue);
    assert_null(op_queue_head(&queue));
    first = push(&queue, ACTION_START, ORIGIN_API);
    second = push(&queue, ACTION_STOP, ORIGIN_API);
    third = push(&queue, ACTION_START, ORIGIN_API);
    assert_int_equal(op_queue_position(&queue, third), 2);
    take(&queue, second); /* cancelled */
    assert_ptr_equal(op_queue_head(&queue), first);
    assert_int_equal(op_queue_position(&queue, third), 1);
    take(&queue, first);
    assert_ptr_equal(op_queue_head(&queue), third);
    take(&queue, third);
    assert_int_equal(queue.length, 0);
}

static void only_what_people_asked_for_counts_against_the_limits(void **state)
{
    struct op_queue queue;
    struct op *recovery, *stop;

    (void)state;
    op_queue_init(&queue);
    recovery = push(&queue, ACTION_START, ORIGIN_RECOVERY);
    stop = push(&queue, ACTION_STOP, ORIGIN_API);
    assert_int_equal(queue.length, 2);
    assert_int_equal(queue.people, 1);
    take(&queue, recovery);
    assert_int_equal(queue.people, 1);
    take(&queue, stop);
    assert_int_equal(queue.people, 0);
}

static void a_stop_counts_as_waiting_only_once_it_is_committed_and_by_people(void **state)
{
    struct op_queue queue;
    struct op *start, *shutdown, *stop;

    (void)state;
    op_queue_init(&queue);
    start = push(&queue, ACTION_START, ORIGIN_BOOT);
    shutdown = push(&queue, ACTION_STOP, ORIGIN_SHUTDOWN);
    assert_false(op_queue_stop_waits(&queue));
    stop = push(&queue, ACTION_STOP, ORIGIN_API);
    stop->committed = false;
    assert_false(op_queue_stop_waits(&queue));
    stop->committed = true;
    assert_true(op_queue_stop_waits(&queue));
    assert_ptr_equal(op_queue_automatic_start(&queue), start);
    take(&queue, start);
    assert_null(op_queue_automatic_start(&queue));
    take(&queue, shutdown);
    take(&queue, stop);
}

static void the_index_finds_what_was_not_settled(void **state)
{
    static struct op_index index;
    struct op *op = op_new(NULL, "backend", ACTION_STOP, ORIGIN_API, "uid:0", 0), *found;
    struct op **all;
    size_t count;

    (void)state;
    op_index_init(&index);
    op->record.id = OP_INDEX_BUCKETS + 7; /* shares its bucket with 7 */
    op_index_add(&index, op);
    assert_null(op_index_find(&index, 7));
    found = op_index_find(&index, OP_INDEX_BUCKETS + 7);
    assert_ptr_equal(found, op);
    assert_int_equal(op_index_all(&index, &all, &count), 0);
    assert_int_equal(count, 1);
    op_unref(all[0]);
    free(all);
    op_index_remove(&index, op);
    op_index_remove(&index, op); /* again: nothing */
    assert_null(op_index_find(&index, OP_INDEX_BUCKETS + 7));
    op_unref(found);
    op_unref(op);
    op_index_deinit(&index);
}

struct turn {
    struct run_item item;
    struct run_queue *queue;
    atomic_int inside, runs;
    sem_t done;
};

static void take_turn(struct run_item *item)
{
    struct turn *turn = list_entry(item, struct turn, item);

    assert_int_equal(atomic_fetch_add(&turn->inside, 1), 0); /* never two workers at once */
    atomic_fetch_sub(&turn->inside, 1);
    if (atomic_fetch_add(&turn->runs, 1) < 999)
        run_queue_add(turn->queue, item);
    else
        sem_post(&turn->done);
}

static void a_service_has_one_worker_at_a_time_and_loses_no_turn(void **state)
{
    struct run_queue queue;
    struct turn turns[3] = {0};

    (void)state;
    run_queue_init(&queue);
    assert_int_equal(run_queue_start(&queue, 4, NULL), 0);
    for (int i = 0; i < 3; i++) {
        turns[i] = (struct turn){.item.run = take_turn, .queue = &queue};
        list_init(&turns[i].item.link);
        sem_init(&turns[i].done, 0, 0);
        run_queue_add(&queue, &turns[i].item);
    }
    for (int i = 0; i < 3; i++) {
        sem_wait(&turns[i].done);
        assert_int_equal(turns[i].runs, 1000);
    }
    run_queue_stop(&queue);
    run_queue_deinit(&queue);
    for (int i = 0; i < 3; i++)
        sem_destroy(&turns[i].done);
}

/* ---- who goes first ---- */

struct line {
    struct run_item item;
    struct order *order;
};

struct order {
    int left;
    sem_t done;
    char taken[64]; /* 'a': what people have asked for, 'r': the rest */
};

static void note_turn(struct run_item *item)
{
    struct order *order = list_entry(item, struct line, item)->order;

    order->taken[strlen(order->taken)] = item->asked_for ? 'a' : 'r';
    if (--order->left == 0)
        sem_post(&order->done);
}

/* All stand in line before the only worker begins. */
static void take_all(const char *kinds, struct order *order)
{
    struct run_queue queue;
    struct line lines[64] = {0};

    *order = (struct order){.left = (int)strlen(kinds)};
    sem_init(&order->done, 0, 0);
    run_queue_init(&queue);
    for (int i = 0; i < order->left; i++) {
        lines[i] = (struct line){{.run = note_turn, .asked_for = kinds[i] == 'a'}, order};
        list_init(&lines[i].item.link);
        run_queue_add(&queue, &lines[i].item);
    }
    assert_int_equal(run_queue_start(&queue, 1, NULL), 0);
    sem_wait(&order->done);
    run_queue_stop(&queue);
    run_queue_deinit(&queue);
    sem_destroy(&order->done);
}

static void what_people_have_asked_for_goes_first_but_never_all_the_time(void **state)
{
    struct order order;

    (void)state;
    take_all("rrrara", &order);
    assert_string_equal(order.taken, "aarrrr");
    take_all("rraaaaaaaaaaaaaaaaaaaa", &order);
    assert_string_equal(order.taken, "aaaaaaaaraaaaaaaaraaaa");
    take_all("aaaaaaaaaaaa", &order);
    assert_string_equal(order.taken, "aaaaaaaaaaaa");
}

static struct op *join(struct op_queue *queue, enum action action)
{
    struct op *op = op_new(NULL, "backend", action, ORIGIN_API, "uid:0", 0), *target;

    assert_non_null(op);
    op->committed = true;
    target = op_queue_joinable(queue, op);
    if (!target) {
        op_unref(op);
        return NULL;
    }
    op_join(target, op);
    return op;
}

static void only_the_last_in_line_is_joined_and_only_by_the_same(void **state)
{
    struct op_queue queue;
    struct op *restart, *joined, *stop;

    (void)state;
    op_queue_init(&queue);
    assert_null(join(&queue, ACTION_RESTART));
    restart = push(&queue, ACTION_RESTART, ORIGIN_API);
    restart->record.id = 7;
    joined = join(&queue, ACTION_RESTART);
    assert_non_null(joined);
    assert_int_equal(joined->record.coalesced_into, 7);
    assert_int_equal(queue.length, 1); /* it takes no place */
    assert_null(join(&queue, ACTION_START));
    stop = push(&queue, ACTION_STOP, ORIGIN_API);
    assert_null(join(&queue, ACTION_RESTART)); /* no longer adjacent */
    take(&queue, stop);
    restart->joining_closed = true;
    assert_null(join(&queue, ACTION_RESTART));
    take(&queue, restart); /* and what joined it */
}

static void an_automatic_operation_is_not_joined(void **state)
{
    struct op_queue queue;
    struct op *recovery;

    (void)state;
    op_queue_init(&queue);
    recovery = push(&queue, ACTION_START, ORIGIN_RECOVERY);
    assert_null(join(&queue, ACTION_START));
    take(&queue, recovery);
}

static void the_first_that_joined_takes_the_place_of_one_that_is_cancelled(void **state)
{
    struct op_queue queue;
    struct op *target, *first, *second, *behind;

    (void)state;
    op_queue_init(&queue);
    target = push(&queue, ACTION_RESTART, ORIGIN_API);
    first = join(&queue, ACTION_RESTART);
    second = join(&queue, ACTION_RESTART);
    first->record.id = 8;
    behind = push(&queue, ACTION_STOP, ORIGIN_API);
    op_queue_promote(&queue, target);
    op_unref(target);
    assert_ptr_equal(op_queue_head(&queue), first);
    assert_int_equal(queue.length, 2);
    assert_int_equal(queue.people, 2);
    assert_int_equal(first->record.coalesced_into, 0);
    assert_int_equal(second->record.coalesced_into, 8);
    assert_ptr_equal(second->joined_to, first);
    assert_int_equal(op_queue_position(&queue, behind), 1);
    assert_int_equal(op_queue_position(&queue, second), 0);
    take(&queue, first);
    take(&queue, behind);
}

static void what_is_not_committed_parts_from_what_is_superseded(void **state)
{
    struct op_queue queue;
    struct op *target, *first, *second, *third;

    (void)state;
    op_queue_init(&queue);
    target = push(&queue, ACTION_RESTART, ORIGIN_API);
    first = join(&queue, ACTION_RESTART);
    second = join(&queue, ACTION_RESTART);
    third = join(&queue, ACTION_RESTART);
    second->committed = third->committed = false;
    assert_false(op_all_committed(target));
    op_queue_part(&queue, target);
    assert_true(op_all_committed(target));
    assert_ptr_equal(first->joined_to, target);
    assert_int_equal(queue.length, 3);
    take(&queue, target);
    assert_ptr_equal(op_queue_head(&queue), second); /* in their order */
    take(&queue, second);
    assert_ptr_equal(op_queue_head(&queue), third);
    take(&queue, third);
}

static void the_last_that_replaces_is_found_once_it_is_committed(void **state)
{
    struct op_queue queue;
    struct op *start, *stop;

    (void)state;
    op_queue_init(&queue);
    start = push(&queue, ACTION_START, ORIGIN_API);
    stop = push(&queue, ACTION_STOP, ORIGIN_API);
    stop->record.replaces = true;
    stop->committed = false;
    assert_null(op_queue_replacer(&queue));
    stop->committed = true;
    assert_ptr_equal(op_queue_replacer(&queue), stop);
    take(&queue, start);
    take(&queue, stop);
}

static void the_goal_is_that_of_the_last_that_sets_one(void **state)
{
    struct op_queue queue;
    struct op *stop, *reload;

    (void)state;
    op_queue_init(&queue);
    assert_int_equal(op_queue_goal(&queue), -1);
    stop = push(&queue, ACTION_STOP, ORIGIN_API);
    reload = push(&queue, ACTION_RELOAD, ORIGIN_API);
    assert_int_equal(op_queue_goal(&queue), GOAL_DOWN);
    take(&queue, stop);
    assert_int_equal(op_queue_goal(&queue), -1);
    take(&queue, reload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_last_in_line_is_joined_and_only_by_the_same),
        cmocka_unit_test(an_automatic_operation_is_not_joined),
        cmocka_unit_test(the_first_that_joined_takes_the_place_of_one_that_is_cancelled),
        cmocka_unit_test(what_is_not_committed_parts_from_what_is_superseded),
        cmocka_unit_test(the_last_that_replaces_is_found_once_it_is_committed),
        cmocka_unit_test(the_goal_is_that_of_the_last_that_sets_one),
        cmocka_unit_test(operations_leave_in_the_order_in_which_they_came),
        cmocka_unit_test(only_what_people_asked_for_counts_against_the_limits),
        cmocka_unit_test(a_stop_counts_as_waiting_only_once_it_is_committed_and_by_people),
        cmocka_unit_test(the_index_finds_what_was_not_settled),
        cmocka_unit_test(a_service_has_one_worker_at_a_time_and_loses_no_turn),
        cmocka_unit_test(what_people_have_asked_for_goes_first_but_never_all_the_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The cells of a unit by brute force: whatever systemd may tell at any moment, and in every state
 * that can be reached, the laws. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

struct node {
    struct machine machine;
    bool deadline, recovery; /* armed; an automatic start waits */
};

#define MOST_NODES 20000

struct search {
    struct node nodes[MOST_NODES];
    size_t count;
    size_t ends[END_SUPERSEDED + 1];
};

static void remember(struct search *s, const struct machine *m, bool deadline, bool recovery)
{
    struct node n;

    memset(&n, 0, sizeof n); /* nodes are compared as bytes */
    n.machine.state = m->state;
    n.machine.goal = m->goal;
    n.machine.goal_before = m->goal_before;
    n.machine.op = m->op;
    n.machine.attempt = m->attempt > 3 ? 3 : m->attempt;
    n.machine.restart = m->restart;
    n.machine.attempts = m->attempts;
    n.machine.unit = m->unit;
    n.machine.recovers = m->recovers;
    n.machine.touched = m->touched;
    n.machine.stop_on_timeout = m->stop_on_timeout;
    n.deadline = deadline;
    n.recovery = recovery;
    for (size_t i = 0; i < s->count; i++)
        if (memcmp(&s->nodes[i], &n, sizeof n) == 0)
            return;
    assert_true(s->count < MOST_NODES);
    s->nodes[s->count++] = n;
}

static bool begins(enum machine_event_kind kind)
{
    return kind <= EVENT_BEGIN_REFUSED;
}

static bool possible(const struct node *n, enum machine_event_kind kind)
{
    switch (kind) {
    case EVENT_BEGIN_START:
    case EVENT_BEGIN_STOP:
    case EVENT_BEGIN_SHUTDOWN:
    case EVENT_BEGIN_RELOAD:
    case EVENT_BEGIN_RESTART: return machine_at_rest(&n->machine);
    case EVENT_BEGIN_RECOVERY:
    case EVENT_BEGIN_REFUSED: return machine_at_rest(&n->machine) && n->recovery;
    case EVENT_UNIT_SEEN: return true;
    case EVENT_JOB_ENDED:
    case EVENT_CANCEL:
    case EVENT_SUPERSEDE:
    case EVENT_GIVE_UP:
    case EVENT_OPERATION_DEADLINE: return n->machine.op != OP_NONE;
    case EVENT_STATE_DEADLINE: return n->deadline;
    case EVENT_SPAWN_FAILED: /* instead of JOB_ENDED */
    case EVENT_RELOADED:
    case EVENT_STARTED:
    case EVENT_READY:
    case EVENT_MAIN_EXITED:
    case EVENT_TREE_GONE: return false;
    }
    return false;
}

static void check_end(const struct machine *m, enum machine_event_kind kind,
                      const struct step *step)
{
    if (step->end != END_NONE) {
        assert_int_equal(step->next.op, OP_NONE);
        assert_true(m->op != OP_NONE || begins(kind));
    } else if (m->op != OP_NONE) {
        assert_int_equal(step->next.op, m->op);
    } else {
        assert_int_equal(step->next.op != OP_NONE, begins(kind));
    }
    if (m->op != OP_NONE && (kind == EVENT_OPERATION_DEADLINE || kind == EVENT_JOB_ENDED))
        assert_true(step->end != END_NONE);
    if (kind == EVENT_CANCEL || kind == EVENT_GIVE_UP)
        assert_int_equal(step->end, m->op == OP_STOP ? END_NONE : END_CANCELLED);
    if (kind == EVENT_SUPERSEDE)
        assert_int_equal(step->end, m->op == OP_STOP ? END_NONE : END_SUPERSEDED);
}

static void check_laws(const struct node *n, const struct machine_event *event,
                       const struct step *step)
{
    const struct machine *m = &n->machine, *next = &step->next;
    const unsigned asks = ACT_SPAWN | ACT_RESTART | ACT_STOP_SIGNAL | ACT_RELOAD;

    check_end(m, event->kind, step);
    /* Systemd is asked for one thing at a time, and never because of what was seen alone. */
    assert_int_equal(step->actions & asks & ((step->actions & asks) - 1), 0);
    if (event->kind == EVENT_UNIT_SEEN)
        assert_int_equal(step->actions & asks, 0);
    if (next->op != OP_NONE && m->op == OP_NONE)
        assert_true(step->actions & asks);
    /* What is shown is what was told, but for our own backoff. */
    if (event->kind == EVENT_UNIT_SEEN)
        assert_true(next->state == event->seen ||
                    (next->state == STATE_BACKOFF &&
                     (event->seen == STATE_FAILED || event->seen == STATE_STOPPED)));
    /* While an operation runs the goal is its own. */
    if (event->kind == EVENT_UNIT_SEEN && m->op != OP_NONE)
        assert_int_equal(next->goal, m->goal);
    if (event->kind == EVENT_BEGIN_STOP)
        assert_int_equal(next->goal, GOAL_DOWN);
    if (event->kind == EVENT_BEGIN_SHUTDOWN || event->kind == EVENT_GIVE_UP)
        assert_int_equal(next->goal, m->goal);
    /* Nothing is recovered whose goal is down, that systemd recovers, or that nobody wants us to.
     */
    if ((step->actions & ACT_QUEUE_RECOVERY) || step->deadline == DEADLINE_BACKOFF) {
        assert_int_equal(next->goal, GOAL_UP);
        assert_false(next->recovers);
        assert_int_not_equal(next->restart, RESTART_NO);
    }
    if (event->kind == EVENT_BEGIN_RECOVERY && m->goal == GOAL_DOWN)
        assert_int_equal(step->actions, 0);
    /* At its timeout a unit is left to systemd, unless told. */
    if (event->kind == EVENT_OPERATION_DEADLINE && !m->stop_on_timeout)
        assert_int_equal(step->actions & asks, 0);
}

static void follow(struct search *s, const struct node *n, struct machine_event event)
{
    struct step step = machine_step(&n->machine, event);
    bool deadline = n->deadline && event.kind != EVENT_STATE_DEADLINE, recovery = n->recovery;

    check_laws(n, &event, &step);
    s->ends[step.end]++;
    if (event.kind == EVENT_BEGIN_RECOVERY || event.kind == EVENT_BEGIN_REFUSED)
        recovery = false;
    if (step.deadline != DEADLINE_KEEP)
        deadline = step.deadline != DEADLINE_CLEAR;
    if (step.actions & ACT_QUEUE_RECOVERY)
        recovery = true;
    remember(s, &step.next, deadline, recovery);
}

static void see_everything(struct search *s, const struct node *n)
{
    for (int state = STATE_STOPPED; state <= STATE_FAILED; state++)
        for (int bits = 0; bits < 8; bits++) {
            struct machine_event event = {
                .kind = EVENT_UNIT_SEEN,
                .seen = (enum service_state)state,
                .renewed = bits & 1,
                .wanted_known = bits & 2,
                .wanted = bits & 4 ? GOAL_UP : GOAL_DOWN,
            };

            if (state != STATE_BACKOFF || n->machine.recovers) /* else systemd tells of none */
                follow(s, n, event);
        }
}

static void check_node(const struct node *n)
{
    const struct machine *m = &n->machine;

    if (m->state == STATE_BACKOFF && !m->recovers && m->op == OP_NONE)
        assert_true(n->deadline || n->recovery); /* somebody will come back to it */
}

static void explore(struct search *s, struct machine first)
{
    s->count = 0;
    remember(s, &first, false, false);
    for (size_t i = 0; i < s->count; i++) {
        struct node n = s->nodes[i];

        check_node(&n);
        see_everything(s, &n);
        for (int kind = 0; kind < EVENT_KINDS; kind++) {
            if (kind == EVENT_UNIT_SEEN || !possible(&n, (enum machine_event_kind)kind))
                continue;
            follow(s, &n, (struct machine_event){.kind = (enum machine_event_kind)kind});
            if (kind == EVENT_JOB_ENDED)
                follow(s, &n, (struct machine_event){.kind = EVENT_JOB_ENDED, .clean = true});
        }
    }
}

static void nothing_that_systemd_tells_breaks_a_law(void **state)
{
    struct search *s = calloc(1, sizeof *s);
    size_t reached = 0;

    (void)state;
    assert_non_null(s);
    for (int restart = 0; restart <= RESTART_NO; restart++)
        for (int attempts = 0; attempts <= 2; attempts += 2)
            for (int bits = 0; bits < 4; bits++) {
                explore(s, (struct machine){
                               .unit = true,
                               .restart = (enum restart_policy)restart,
                               .attempts = attempts,
                               .recovers = bits & 1,
                               .stop_on_timeout = bits & 2,
                           });
                reached += s->count;
            }
    print_message("%zu states reached\n", reached);
    assert_true(reached > 1000);
    for (int end = END_SUCCEEDED; end <= END_SUPERSEDED; end++)
        assert_true(s->ends[end] > 0);
    free(s);
}

static struct step seen(struct machine m, enum service_state state)
{
    return machine_step(&m, (struct machine_event){.kind = EVENT_UNIT_SEEN, .seen = state});
}

static void what_others_do_moves_the_goal_but_not_while_we_do_something(void **state)
{
    struct machine m = {.unit = true, .state = STATE_RUNNING, .goal = GOAL_UP};
    struct machine_event stopped = {
        .kind = EVENT_UNIT_SEEN, .seen = STATE_STOPPED, .wanted_known = true, .wanted = GOAL_DOWN};
    struct step step = machine_step(&m, stopped);

    (void)state;
    assert_int_equal(step.next.goal, GOAL_DOWN);
    m.op = OP_RESTART;
    step = machine_step(&m, stopped);
    assert_int_equal(step.next.goal, GOAL_UP);
    assert_true(step.next.touched);
}

static void a_crash_is_brought_back_unless_systemd_does_it(void **state)
{
    struct machine m = {.unit = true, .state = STATE_RUNNING, .goal = GOAL_UP};
    struct step step = seen(m, STATE_FAILED);

    (void)state;
    assert_int_equal(step.next.state, STATE_BACKOFF);
    assert_int_equal(step.deadline, DEADLINE_BACKOFF);
    assert_int_equal(seen(step.next, STATE_FAILED).next.state, STATE_BACKOFF);
    assert_int_equal(seen(step.next, STATE_RUNNING).next.state, STATE_RUNNING);
    m.recovers = true;
    assert_int_equal(seen(m, STATE_FAILED).next.state, STATE_FAILED);
    assert_int_equal(seen(m, STATE_BACKOFF).deadline, DEADLINE_CLEAR);
}

static void a_start_that_ran_to_its_end_leaves_nothing_that_is_wanted(void **state)
{
    struct machine m = {.unit = true, .state = STATE_STOPPED};
    struct step step = machine_step(&m, (struct machine_event){.kind = EVENT_BEGIN_START});

    (void)state;
    assert_int_equal(step.actions, ACT_SPAWN);
    step = machine_step(&step.next, (struct machine_event){.kind = EVENT_JOB_ENDED, .clean = true});
    assert_int_equal(step.end, END_SUCCEEDED);
    assert_int_equal(step.next.goal, GOAL_DOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_systemd_tells_breaks_a_law),
        cmocka_unit_test(what_others_do_moves_the_goal_but_not_while_we_do_something),
        cmocka_unit_test(a_crash_is_brought_back_unless_systemd_does_it),
        cmocka_unit_test(a_start_that_ran_to_its_end_leaves_nothing_that_is_wanted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

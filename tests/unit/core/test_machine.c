/* The machine by brute force: every state that any sequence of events can reach, in a world that
 * keeps its own account of what lives, and in each of them the laws. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

/* What is really so, whatever the machine believes. */
struct world {
    bool tree, main, told_started, told_ready;
    bool deadline; /* the state's own is armed */
    bool recovery; /* an automatic start waits */
    bool reload;   /* one has been begun and has not answered */
};

struct node {
    struct machine machine;
    struct world world;
};

#define MOST_NODES 200000

struct search {
    struct node nodes[MOST_NODES];
    size_t count;
    size_t ends[END_SUPERSEDED + 1];
};

static struct node make(struct machine m, struct world w)
{
    struct node n;

    memset(&n, 0, sizeof n); /* nodes are compared as bytes */
    n.machine.state = m.state;
    n.machine.goal = m.goal;
    n.machine.goal_before = m.goal_before;
    n.machine.tree = m.tree;
    n.machine.main = m.main;
    n.machine.started = m.started;
    n.machine.killing = m.killing;
    n.machine.stuck = m.stuck;
    n.machine.clean = m.clean;
    n.machine.after = m.after;
    n.machine.op = m.op;
    n.machine.attempt = m.attempt > 3 ? 3 : m.attempt; /* beyond it nothing changes any more */
    n.machine.readiness = m.readiness;
    n.machine.restart = m.restart;
    n.machine.attempts = m.attempts;
    n.world.tree = w.tree;
    n.world.main = w.main;
    n.world.told_started = w.told_started;
    n.world.told_ready = w.told_ready;
    n.world.deadline = w.deadline;
    n.world.recovery = w.recovery;
    n.world.reload = w.reload;
    return n;
}

static void remember(struct search *s, struct node n)
{
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

/* Whether this event can happen in this world at all. */
static bool possible(const struct node *n, enum machine_event_kind kind)
{
    const struct world *w = &n->world;

    switch (kind) {
    case EVENT_BEGIN_START:
    case EVENT_BEGIN_STOP:
    case EVENT_BEGIN_SHUTDOWN:
    case EVENT_BEGIN_RELOAD:
    case EVENT_BEGIN_RESTART: return machine_at_rest(&n->machine);
    case EVENT_BEGIN_RECOVERY:
    case EVENT_BEGIN_REFUSED: return machine_at_rest(&n->machine) && w->recovery;
    case EVENT_SPAWN_FAILED: return false; /* it is an answer to ACT_SPAWN, see below */
    case EVENT_STARTED: return w->main && !w->told_started;
    case EVENT_RELOADED: return w->reload;
    case EVENT_READY: return w->main && w->told_started && !w->told_ready;
    case EVENT_MAIN_EXITED: return w->main;
    case EVENT_TREE_GONE: return w->tree && !w->main;
    case EVENT_CANCEL:
    case EVENT_SUPERSEDE:
    case EVENT_GIVE_UP:
    case EVENT_OPERATION_DEADLINE: return n->machine.op != OP_NONE;
    case EVENT_STATE_DEADLINE: return w->deadline;
    case EVENT_UNIT_SEEN: /* of units: see test_unit_machine.c */
    case EVENT_JOB_ENDED: return false;
    }
    return false;
}

static struct world happen(struct world w, enum machine_event_kind kind)
{
    switch (kind) {
    case EVENT_STARTED: w.told_started = true; break;
    case EVENT_READY: w.told_ready = true; break;
    case EVENT_MAIN_EXITED: w.main = false; break;
    case EVENT_TREE_GONE: w.tree = w.reload = false; break;
    case EVENT_RELOADED: w.reload = false; break;
    case EVENT_STATE_DEADLINE: w.deadline = false; break;
    case EVENT_BEGIN_RECOVERY:
    case EVENT_BEGIN_REFUSED: w.recovery = false; break;
    default: break;
    }
    return w;
}

static struct world obey(struct world w, const struct step *step)
{
    if (step->deadline != DEADLINE_KEEP)
        w.deadline = step->deadline != DEADLINE_CLEAR;
    if (step->actions & ACT_QUEUE_RECOVERY)
        w.recovery = true;
    if (step->actions & ACT_RELOAD)
        w.reload = true;
    return w;
}

static void check_laws(const struct node *before, enum machine_event_kind kind,
                       const struct world *world, const struct step *step)
{
    const struct machine *m = &before->machine, *next = &step->next;

    /* L4: nothing is spawned while anything of the last instance lives. */
    if (step->actions & ACT_SPAWN)
        assert_false(world->tree);
    /* L2: what ran either goes on or has ended, once, and an end is only said of what ran. */
    if (step->end != END_NONE) {
        assert_int_equal(next->op, OP_NONE);
        assert_true(m->op != OP_NONE || begins(kind));
    } else if (m->op != OP_NONE) {
        assert_int_equal(next->op, m->op);
    } else if (begins(kind)) {
        assert_true(next->op != OP_NONE);
    } else {
        assert_int_equal(next->op, OP_NONE);
    }
    /* L6: a stop that has succeeded left nothing; and it is what is wanted from then on. */
    if (step->end == END_SUCCEEDED && (m->op == OP_STOP || kind == EVENT_BEGIN_STOP)) {
        assert_false(world->tree);
        assert_int_equal(next->state, STATE_STOPPED);
    }
    if (kind == EVENT_BEGIN_STOP)
        assert_int_equal(next->goal, GOAL_DOWN);
    if (kind == EVENT_BEGIN_SHUTDOWN)
        assert_int_equal(next->goal, m->goal);
    /* A stop that runs can't be taken back. */
    if (kind == EVENT_CANCEL || kind == EVENT_GIVE_UP)
        assert_int_equal(step->end, m->op == OP_STOP ? END_NONE : END_CANCELLED);
    if (kind == EVENT_SUPERSEDE)
        assert_int_equal(step->end, m->op == OP_STOP ? END_NONE : END_SUPERSEDED);
    if (kind == EVENT_CANCEL && (m->op == OP_START || m->op == OP_RESTART)) {
        assert_int_equal(next->state, STATE_STOPPING);
        assert_int_equal(next->goal, m->goal_before);
    }
    if (kind == EVENT_GIVE_UP)
        assert_int_equal(next->goal, m->goal);
    /* A reload runs only beside an instance, and leaves it alone. */
    if (step->actions & ACT_RELOAD)
        assert_true(world->tree && world->main);
    if (m->op == OP_RELOAD && kind != EVENT_MAIN_EXITED)
        assert_int_equal(next->state, STATE_RUNNING);
    /* A start or restart that has succeeded runs. */
    if (step->end == END_SUCCEEDED && (m->op == OP_START || m->op == OP_RESTART))
        assert_int_equal(next->state, STATE_RUNNING);
    /* Nothing is recovered whose goal is down. */
    if (kind == EVENT_BEGIN_RECOVERY && m->goal == GOAL_DOWN)
        assert_int_equal(step->actions & ACT_SPAWN, 0);
}

/* The state tells the truth about the tree, and something will always happen next. */
static void check_node(const struct node *n)
{
    const struct machine *m = &n->machine;
    struct machine_event deadline = {.kind = EVENT_OPERATION_DEADLINE};

    switch (m->state) {
    case STATE_STOPPED:
    case STATE_FAILED:
    case STATE_BACKOFF: assert_false(n->world.tree); break;
    case STATE_STARTING:
    case STATE_RUNNING: assert_true(n->world.tree && n->world.main); break;
    case STATE_STOPPING:
        assert_true(n->world.tree);
        assert_true(n->world.deadline); /* SIGKILL will come */
        break;
    }
    if (m->state == STATE_BACKOFF)
        assert_true(n->world.deadline || n->world.recovery);
    if (m->op != OP_NONE) /* L2: at its deadline every operation ends */
        assert_int_equal(machine_step(m, deadline).end, END_TIMED_OUT);
    if (m->state == STATE_STOPPED || m->state == STATE_FAILED || m->state == STATE_BACKOFF)
        assert_int_equal(m->op, OP_NONE);
    if (m->state == STATE_RUNNING)
        assert_true(m->op == OP_NONE || m->op == OP_RELOAD);
}

static void spawned(struct search *s, struct step step, struct world world)
{
    struct step failed = machine_step(&step.next, (struct machine_event){
                                                      .kind = EVENT_SPAWN_FAILED,
                                                  });

    remember(s, make(failed.next, obey(world, &failed)));
    world.tree = world.main = true;
    world.told_started = world.told_ready = false;
    remember(s, make(step.next, world));
}

static void follow(struct search *s, struct node n, enum machine_event_kind kind, bool clean)
{
    struct machine_event event = {.kind = kind, .clean = clean};
    struct step step = machine_step(&n.machine, event);
    struct world world = happen(n.world, kind);

    check_laws(&n, kind, &world, &step);
    s->ends[step.end]++;
    world = obey(world, &step);
    if (step.actions & ACT_SPAWN)
        spawned(s, step, world);
    else
        remember(s, make(step.next, world));
}

static void explore(struct search *s, struct machine first)
{
    s->count = 0;
    remember(s, make(first, (struct world){0}));
    for (size_t i = 0; i < s->count; i++) {
        struct node n = s->nodes[i];

        check_node(&n);
        for (int kind = 0; kind < EVENT_KINDS; kind++) {
            if (!possible(&n, (enum machine_event_kind)kind))
                continue;
            follow(s, n, (enum machine_event_kind)kind, false);
            if (kind == EVENT_MAIN_EXITED || kind == EVENT_RELOADED)
                follow(s, n, (enum machine_event_kind)kind, true);
        }
    }
}

static void no_sequence_of_events_breaks_a_law(void **state)
{
    struct search *s = calloc(1, sizeof *s);
    size_t reached = 0;

    (void)state;
    assert_non_null(s);
    for (int readiness = 0; readiness <= READINESS_FD; readiness++)
        for (int restart = 0; restart <= RESTART_NO; restart++)
            for (int attempts = 0; attempts <= 2; attempts += 2) {
                explore(s, (struct machine){
                               .readiness = (enum readiness_type)readiness,
                               .restart = (enum restart_policy)restart,
                               .attempts = attempts,
                           });
                reached += s->count;
            }
    print_message("%zu states reached\n", reached);
    assert_true(reached > 1000);
    for (int end = END_SUCCEEDED; end <= END_SUPERSEDED; end++)
        assert_true(s->ends[end] > 0); /* every kind of end was seen */
    free(s);
}

static struct step step_of(struct machine m, enum machine_event_kind kind)
{
    return machine_step(&m, (struct machine_event){.kind = kind});
}

/* A restart is a stop that still wants to be up: the end of the tree must spawn, not settle. */
static void tree_gone_while_restarting_spawns_again(void **state)
{
    struct step step = step_of(
        (struct machine){
            .state = STATE_STOPPING, .op = OP_RESTART, .after = AFTER_SPAWN, .tree = true},
        EVENT_TREE_GONE);

    (void)state;
    assert_int_equal(step.next.state, STATE_STARTING);
    assert_int_equal(step.actions, ACT_SPAWN);
    assert_int_equal(step.end, END_NONE);
}

static void the_exit_of_the_main_process_alone_spawns_nothing(void **state)
{
    struct step step = step_of(
        (struct machine){.state = STATE_RUNNING, .goal = GOAL_UP, .tree = true, .main = true},
        EVENT_MAIN_EXITED);

    (void)state;
    assert_int_equal(step.next.state, STATE_STOPPING);
    assert_int_equal(step.actions & ACT_SPAWN, 0);
}

static void a_restart_that_times_out_while_stopping_recovers_afterwards(void **state)
{
    struct machine m = {.state = STATE_STOPPING,
                        .goal = GOAL_UP,
                        .op = OP_RESTART,
                        .after = AFTER_SPAWN,
                        .tree = true};
    struct step step = step_of(m, EVENT_OPERATION_DEADLINE);

    (void)state;
    assert_int_equal(step.end, END_TIMED_OUT);
    step = step_of(step.next, EVENT_TREE_GONE);
    assert_int_equal(step.next.state, STATE_BACKOFF);
    assert_int_equal(step.deadline, DEADLINE_BACKOFF);
}

static void a_clean_exit_that_is_not_restarted_has_done_its_work(void **state)
{
    struct machine m = {.state = STATE_STOPPING,
                        .goal = GOAL_UP,
                        .after = AFTER_ENDED,
                        .clean = true,
                        .restart = RESTART_ON_FAILURE};
    struct step step = step_of(m, EVENT_TREE_GONE);

    (void)state;
    assert_int_equal(step.next.state, STATE_STOPPED);
    assert_int_equal(step.next.goal, GOAL_DOWN);
    m.clean = false;
    m.restart = RESTART_NO;
    step = step_of(m, EVENT_TREE_GONE);
    assert_int_equal(step.next.state, STATE_FAILED);
    assert_int_equal(step.next.goal, GOAL_UP);
}

static void what_survives_sigkill_is_stuck_and_only_a_stop_may_run(void **state)
{
    struct machine m = {.state = STATE_STOPPING, .tree = true};
    struct step step = step_of(m, EVENT_STATE_DEADLINE);

    (void)state;
    assert_false(step.next.stuck);
    step = step_of(step.next, EVENT_STATE_DEADLINE);
    assert_true(step.next.stuck);
    assert_true(machine_at_rest(&step.next));
    m = step.next;
    assert_int_equal(step_of(m, EVENT_BEGIN_START).end, END_FAILED);
    assert_int_equal(step_of(m, EVENT_BEGIN_RESTART).end, END_FAILED);
    step = step_of(m, EVENT_BEGIN_STOP);
    assert_int_equal(step.end, END_NONE);
    assert_int_equal(step.actions, ACT_KILL_TREE);
    assert_int_equal(step_of(step.next, EVENT_TREE_GONE).end, END_SUCCEEDED);
}

static void a_start_by_hand_forgets_the_attempts_and_a_recovery_does_not(void **state)
{
    struct machine m = {.state = STATE_BACKOFF, .goal = GOAL_UP, .attempt = 3};

    (void)state;
    assert_int_equal(step_of(m, EVENT_BEGIN_START).next.attempt, 0);
    assert_int_equal(step_of(m, EVENT_BEGIN_RECOVERY).next.attempt, 3);
}

/* Never mind: what was down stays down, what was to run comes back. */
static void a_start_that_is_cancelled_takes_its_goal_back(void **state)
{
    struct machine m = {.state = STATE_STOPPED, .goal = GOAL_DOWN};
    struct step step = step_of(m, EVENT_BEGIN_START);

    (void)state;
    step = step_of(step.next, EVENT_CANCEL);
    assert_int_equal(step.end, END_CANCELLED);
    step = step_of(step.next, EVENT_MAIN_EXITED);
    step = step_of(step.next, EVENT_TREE_GONE);
    assert_int_equal(step.next.state, STATE_STOPPED);
    m = (struct machine){.state = STATE_RUNNING, .goal = GOAL_UP, .tree = true, .main = true};
    step = step_of(m, EVENT_BEGIN_RESTART);
    step = step_of(step.next, EVENT_CANCEL);
    step = step_of(step.next, EVENT_TREE_GONE);
    assert_int_equal(step.next.state, STATE_BACKOFF);
    assert_int_equal(step.next.goal, GOAL_UP);
}

static void a_reload_of_what_does_not_run_fails(void **state)
{
    (void)state;
    for (int s = STATE_STOPPED; s <= STATE_FAILED; s++) {
        struct machine m = {.state = (enum service_state)s, .tree = true, .main = true};

        if (s != STATE_RUNNING)
            assert_int_equal(step_of(m, EVENT_BEGIN_RELOAD).end, END_FAILED);
    }
}

static void an_exit_ends_the_reload_before_the_tree_is_gone(void **state)
{
    struct machine m = {
        .state = STATE_RUNNING, .goal = GOAL_UP, .tree = true, .main = true, .op = OP_RELOAD};
    struct step step = step_of(m, EVENT_MAIN_EXITED);

    (void)state;
    assert_int_equal(step.end, END_FAILED);
    assert_int_equal(step.reason, BECAUSE_EXITED);
    assert_int_equal(step.next.state, STATE_STOPPING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_sequence_of_events_breaks_a_law),
        cmocka_unit_test(tree_gone_while_restarting_spawns_again),
        cmocka_unit_test(the_exit_of_the_main_process_alone_spawns_nothing),
        cmocka_unit_test(a_restart_that_times_out_while_stopping_recovers_afterwards),
        cmocka_unit_test(a_clean_exit_that_is_not_restarted_has_done_its_work),
        cmocka_unit_test(what_survives_sigkill_is_stuck_and_only_a_stop_may_run),
        cmocka_unit_test(a_start_that_is_cancelled_takes_its_goal_back),
        cmocka_unit_test(a_reload_of_what_does_not_run_fails),
        cmocka_unit_test(an_exit_ends_the_reload_before_the_tree_is_gone),
        cmocka_unit_test(a_start_by_hand_forgets_the_attempts_and_a_recovery_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

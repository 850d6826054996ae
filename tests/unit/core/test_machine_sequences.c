/* The machine by sequences: every one up to a depth, each with its own history. test_machine.c
 * visits every state that can be reached, to any depth, and so proves what a single step must keep;
 * but two ways to a state are one there, and what only the way tells is lost: what the goal was
 * when the operation began, what has been spawned and signalled since, how many attempts were made.
 * The depth is ORDERLY_MACHINE_DEPTH. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "machine.h"

#define DEPTH 8

/* What has happened, and what is really so by now. */
struct history {
    bool tree, main, told_started, told_ready; /* the instance */
    bool asked_to_end;                         /* it has had the stop signal, or exited */
    bool deadline, recovery, reload;           /* armed; waits; has not answered */
    enum machine_event_kind began;             /* how the newest operation began */
    enum goal goal;                            /* the goal just before that */
    int64_t begun, ended, spawned;             /* operations; instances since the newest began */
    int64_t automatic; /* starts since one by hand, or since it was stable */
};

struct walk {
    size_t steps;
    size_t ends[END_SUPERSEDED + 1];
};

static bool is_begin(enum machine_event_kind kind)
{
    return kind <= EVENT_BEGIN_REFUSED;
}

static bool possible(const struct machine *m, const struct history *h, enum machine_event_kind kind)
{
    switch (kind) {
    case EVENT_BEGIN_START:
    case EVENT_BEGIN_STOP:
    case EVENT_BEGIN_SHUTDOWN:
    case EVENT_BEGIN_RELOAD:
    case EVENT_BEGIN_RESTART: return machine_at_rest(m);
    case EVENT_BEGIN_RECOVERY:
    case EVENT_BEGIN_REFUSED: return machine_at_rest(m) && h->recovery;
    case EVENT_STARTED: return h->main && !h->told_started;
    case EVENT_READY: return h->main && h->told_started && !h->told_ready;
    case EVENT_RELOADED: return h->reload;
    case EVENT_MAIN_EXITED: return h->main;
    case EVENT_TREE_GONE: return h->tree && !h->main;
    case EVENT_CANCEL:
    case EVENT_SUPERSEDE:
    case EVENT_GIVE_UP:
    case EVENT_OPERATION_DEADLINE: return m->op != OP_NONE;
    case EVENT_STATE_DEADLINE: return h->deadline;
    case EVENT_SPAWN_FAILED: /* an answer to ACT_SPAWN: see follow() */
    case EVENT_UNIT_SEEN:
    case EVENT_JOB_ENDED: return false;
    }
    return false;
}

/* The event itself, before the machine is asked. */
static void note_event(struct history *h, const struct machine *m, enum machine_event_kind kind)
{
    if (is_begin(kind)) {
        h->began = kind;
        h->goal = m->goal;
        h->begun++;
        h->spawned = 0;
    }
    switch (kind) {
    case EVENT_BEGIN_START:
    case EVENT_BEGIN_RESTART:
        if (m->state != STATE_RUNNING || kind == EVENT_BEGIN_RESTART)
            h->automatic = 0;
        break;
    case EVENT_BEGIN_RECOVERY:
    case EVENT_BEGIN_REFUSED: h->recovery = false; break;
    case EVENT_STARTED: h->told_started = true; break;
    case EVENT_READY: h->told_ready = true; break;
    case EVENT_RELOADED: h->reload = false; break;
    case EVENT_MAIN_EXITED:
        h->main = false;
        h->asked_to_end = true;
        break;
    case EVENT_TREE_GONE: h->tree = h->reload = false; break;
    case EVENT_STATE_DEADLINE:
        h->deadline = false;
        if (m->state == STATE_RUNNING)
            h->automatic = 0; /* it was stable */
        break;
    default: break;
    }
}

static void note_spawn(struct history *h, const struct machine *m)
{
    assert_false(h->tree); /* L4 */
    h->spawned++;
    assert_true(h->spawned <= 1); /* one operation, one instance at most */
    if (h->began == EVENT_BEGIN_RECOVERY) {
        h->automatic++;
        assert_true(m->attempts == 0 || h->automatic <= m->attempts);
        assert_int_equal(h->goal, GOAL_UP); /* recovery works towards the goal, never against it */
    }
    assert_int_not_equal(h->began, EVENT_BEGIN_STOP); /* L6 */
    assert_int_not_equal(h->began, EVENT_BEGIN_SHUTDOWN);
    assert_int_not_equal(h->began, EVENT_BEGIN_RELOAD);
    h->tree = h->main = true;
    h->told_started = h->told_ready = h->asked_to_end = false;
}

static void note_actions(struct history *h, const struct step *step)
{
    if (step->actions & ACT_STOP_SIGNAL)
        h->asked_to_end = true;
    if (step->actions & ACT_KILL_TREE)
        assert_true(h->asked_to_end); /* nothing is killed that was not asked before */
    if (step->deadline != DEADLINE_KEEP)
        h->deadline = step->deadline != DEADLINE_CLEAR;
    if (step->actions & ACT_QUEUE_RECOVERY)
        h->recovery = true;
    if (step->actions & ACT_RELOAD)
        h->reload = true;
}

/* What the end of an operation says of the way since it began. */
static void check_end(const struct history *h, enum machine_event_kind kind,
                      const struct step *step)
{
    bool up = h->began == EVENT_BEGIN_START || h->began == EVENT_BEGIN_RESTART;

    if (up && (kind == EVENT_CANCEL || kind == EVENT_SUPERSEDE))
        assert_int_equal(step->next.goal, h->goal); /* as if it had never been asked */
    if (step->end != END_SUCCEEDED)
        return;
    if (h->began == EVENT_BEGIN_RESTART)
        assert_int_equal(h->spawned, 1); /* really another instance */
    if (up)
        assert_true(h->main && step->next.goal == GOAL_UP);
    if (h->began == EVENT_BEGIN_STOP)
        assert_true(!h->tree && step->next.goal == GOAL_DOWN);
    if (h->began == EVENT_BEGIN_SHUTDOWN)
        assert_true(!h->tree && step->next.goal == h->goal);
}

/* The goal moves when an operation begins or is taken back, or when the service has done its work.
 */
static void check_goal(const struct machine *m, const struct step *step,
                       enum machine_event_kind kind)
{
    if (step->next.goal == m->goal || is_begin(kind))
        return;
    if (kind == EVENT_TREE_GONE)
        assert_true(step->next.goal == GOAL_DOWN && step->next.state == STATE_STOPPED);
    else if (kind != EVENT_CANCEL && kind != EVENT_SUPERSEDE)
        assert_int_equal(kind, EVENT_OPERATION_DEADLINE);
}

static void walk(struct walk *w, const struct machine *m, const struct history *h, int depth);

/* One event, and the step that is its answer; then every way on from there. */
static void follow(struct walk *w, const struct machine *m, struct history h,
                   struct machine_event event, int depth)
{
    struct step step = machine_step(m, event);

    w->steps++;
    note_event(&h, m, event.kind);
    note_actions(&h, &step);
    check_goal(m, &step, event.kind);
    if (step.end != END_NONE) {
        h.ended++;
        w->ends[step.end]++;
        check_end(&h, event.kind, &step);
    }
    /* L2: whatever has begun has ended once, but for what still runs */
    assert_int_equal(h.begun - h.ended, step.next.op != OP_NONE);
    if (!(step.actions & ACT_SPAWN)) {
        walk(w, &step.next, &h, depth - 1);
        return;
    }
    /* It fails before anything lives, or not. */
    follow(w, &step.next, h, (struct machine_event){.kind = EVENT_SPAWN_FAILED}, depth);
    note_spawn(&h, &step.next);
    walk(w, &step.next, &h, depth - 1);
}

static void walk(struct walk *w, const struct machine *m, const struct history *h, int depth)
{
    if (depth == 0)
        return;
    for (int k = 0; k < EVENT_KINDS; k++) {
        struct machine_event event = {.kind = (enum machine_event_kind)k};

        if (!possible(m, h, event.kind))
            continue;
        follow(w, m, *h, event, depth);
        event.clean = true;
        if (k == EVENT_MAIN_EXITED || k == EVENT_RELOADED)
            follow(w, m, *h, event, depth);
    }
}

static int depth_wanted(void)
{
    const char *text = getenv("ORDERLY_MACHINE_DEPTH");
    int depth = text ? atoi(text) : DEPTH;

    return depth > 0 ? depth : DEPTH;
}

static void no_way_to_a_state_breaks_a_law(void **state)
{
    struct walk w = {0};
    int depth = depth_wanted();

    (void)state;
    for (int readiness = 0; readiness <= READINESS_FD; readiness++)
        for (int restart = 0; restart <= RESTART_NO; restart++)
            for (int attempts = 0; attempts <= 1; attempts++) {
                struct machine first = {
                    .readiness = (enum readiness_type)readiness,
                    .restart = (enum restart_policy)restart,
                    .attempts = attempts,
                };

                walk(&w, &first, &(struct history){0}, depth);
            }
    print_message("%zu steps in sequences of %d events\n", w.steps, depth);
    for (int end = END_SUCCEEDED; depth >= 4 && end <= END_SUPERSEDED; end++)
        assert_true(w.ends[end] > 0); /* every kind of end was seen */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_way_to_a_state_breaks_a_law),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

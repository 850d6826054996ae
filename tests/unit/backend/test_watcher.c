/* The watcher: order, deadlines, and what removing promises. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "backend/watcher.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/lock.h"

#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct note {
    struct watch watch;
    struct deadline deadline;
    struct watcher *watcher;
    char *log; /* what happened, letter by letter */
    char letter;
    sem_t *happened, *go_on;
};

static void wait_for(sem_t *sem)
{
    while (sem_wait(sem) < 0)
        ;
}

static void on_ready(struct watch *watch, uint32_t events)
{
    struct note *note = list_entry(watch, struct note, watch);

    (void)events;
    watcher_remove(note->watcher, watch);
    note->log[strlen(note->log)] = note->letter;
    sem_post(note->happened);
}

static void on_passed(struct deadline *deadline)
{
    struct note *note = list_entry(deadline, struct note, deadline);

    note->log[strlen(note->log)] = note->letter;
    sem_post(note->happened);
}

static void on_passed_slowly(struct deadline *deadline)
{
    struct note *note = list_entry(deadline, struct note, deadline);

    sem_post(note->happened);
    wait_for(note->go_on);
    note->log[strlen(note->log)] = note->letter;
}

static struct watcher *start(void)
{
    struct watcher *watcher = NULL;

    assert_int_equal(watcher_start(&watcher, NULL), 0);
    return watcher;
}

/* All are set while a callback holds the thread, however long that takes. */
static void deadlines_pass_in_their_order_whatever_the_order_they_were_set_in(void **state)
{
    struct watcher *watcher = start();
    struct note slow = {0}, notes[26] = {0};
    char log[32] = "";
    sem_t happened, go_on;
    int64_t now = clock_mono_us();

    (void)state;
    sem_init(&happened, 0, 0);
    sem_init(&go_on, 0, 0);
    slow = (struct note){.deadline.passed = on_passed_slowly,
                         .log = log,
                         .letter = '-',
                         .happened = &happened,
                         .go_on = &go_on};
    watcher_set(watcher, &slow.deadline, 0);
    wait_for(&happened);
    for (int i = 0; i < 26; i++) {
        int at = i * 7 % 26;

        notes[at] = (struct note){.deadline.passed = on_passed,
                                  .log = log,
                                  .letter = (char)('a' + at),
                                  .happened = &happened};
        watcher_set(watcher, &notes[at].deadline, now + (at + 1) * USEC_PER_MSEC);
    }
    watcher_clear(watcher, &notes[3].deadline);
    watcher_set(watcher, &notes[5].deadline, now);
    sem_post(&go_on);
    for (int i = 0; i < 25; i++)
        wait_for(&happened);
    watcher_stop(watcher);
    assert_string_equal(log, "-fabceghijklmnopqrstuvwxyz");
}

/* All become due and ready while a callback holds the thread, as after a suspend. */
static void what_is_ready_is_told_before_deadlines_that_have_passed(void **state)
{
    struct watcher *watcher = start();
    struct note slow = {0}, late = {0}, ready[100] = {0};
    char log[128] = "";
    sem_t happened, go_on;

    (void)state;
    sem_init(&happened, 0, 0);
    sem_init(&go_on, 0, 0);
    slow = (struct note){.deadline.passed = on_passed_slowly,
                         .log = log,
                         .letter = 's',
                         .happened = &happened,
                         .go_on = &go_on};
    watcher_set(watcher, &slow.deadline, 0);
    wait_for(&happened);
    late = (struct note){
        .deadline.passed = on_passed, .log = log, .letter = 'd', .happened = &happened};
    watcher_set(watcher, &late.deadline, 1);
    for (int i = 0; i < 100; i++) {
        ready[i] = (struct note){.watch.ready = on_ready,
                                 .watcher = watcher,
                                 .log = log,
                                 .letter = 'r',
                                 .happened = &happened};
        assert_int_equal(
            watcher_add(watcher, &ready[i].watch, eventfd(1, EFD_CLOEXEC), EPOLLIN, NULL), 0);
    }
    sem_post(&go_on);
    for (int i = 0; i < 101; i++)
        wait_for(&happened);
    watcher_stop(watcher);
    for (int i = 0; i < 100; i++)
        close(ready[i].watch.fd);
    assert_int_equal(log[0], 's');
    assert_int_equal(strspn(log + 1, "r"), 100);
    assert_string_equal(log + 101, "d");
}

static void on_always(struct watch *watch, uint32_t events)
{
    (void)watch, (void)events;
}

static void a_descriptor_that_is_always_ready_does_not_hold_up_deadlines(void **state)
{
    struct watcher *watcher = start();
    struct note always = {.watch.ready = on_always}, late = {0};
    char log[8] = "";
    sem_t happened;

    (void)state;
    sem_init(&happened, 0, 0);
    late = (struct note){
        .deadline.passed = on_passed, .log = log, .letter = 'd', .happened = &happened};
    watcher_add(watcher, &always.watch, eventfd(1, EFD_CLOEXEC), EPOLLIN, NULL);
    watcher_set(watcher, &late.deadline, clock_mono_us() + 20 * USEC_PER_MSEC);
    wait_for(&happened);
    watcher_remove(watcher, &always.watch);
    close(always.watch.fd);
    watcher_stop(watcher);
}

struct clearing {
    struct watcher *watcher;
    struct note *note;
    atomic_bool done;
};

static void *clear(void *argument)
{
    struct clearing *c = argument;

    watcher_clear(c->watcher, &c->note->deadline);
    atomic_store(&c->done, true);
    return NULL;
}

static void removing_waits_for_a_callback_that_is_running(void **state)
{
    struct watcher *watcher = start();
    char log[8] = "";
    sem_t happened, go_on;
    struct note note = {.deadline.passed = on_passed_slowly,
                        .log = log,
                        .letter = 's',
                        .happened = &happened,
                        .go_on = &go_on};
    struct clearing clearing = {.watcher = watcher, .note = &note};
    pthread_t thread;

    (void)state;
    sem_init(&happened, 0, 0);
    sem_init(&go_on, 0, 0);
    watcher_set(watcher, &note.deadline, 0);
    wait_for(&happened);
    assert_int_equal(pthread_create(&thread, NULL, clear, &clearing), 0);
    for (int i = 0; i < 1000; i++)
        sched_yield(); /* time enough for a removal that does not wait to come back */
    assert_false(atomic_load(&clearing.done));
    sem_post(&go_on);
    pthread_join(thread, NULL);
    assert_string_equal(log, "s");
    watcher_stop(watcher);
}

static void *churn(void *argument)
{
    struct watcher *watcher = argument;

    for (int i = 0; i < 2000; i++) {
        struct note *note = calloc(1, sizeof *note);
        int fd = eventfd(1, EFD_CLOEXEC);

        note->watch.ready = on_always;
        assert_int_equal(watcher_add(watcher, &note->watch, fd, EPOLLIN, NULL), 0);
        watcher_remove(watcher, &note->watch);
        memset(note, 0xff, sizeof *note); /* a callback from now on would crash */
        free(note);
        close(fd);
    }
    return NULL;
}

static void a_removed_watch_is_never_called_again_though_descriptors_are_reused(void **state)
{
    struct watcher *watcher = start();
    pthread_t threads[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, watcher), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    watcher_stop(watcher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadlines_pass_in_their_order_whatever_the_order_they_were_set_in),
        cmocka_unit_test(what_is_ready_is_told_before_deadlines_that_have_passed),
        cmocka_unit_test(a_descriptor_that_is_always_ready_does_not_hold_up_deadlines),
        cmocka_unit_test(removing_waits_for_a_callback_that_is_running),
        cmocka_unit_test(a_removed_watch_is_never_called_again_though_descriptors_are_reused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

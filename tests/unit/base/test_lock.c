#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lock.h"

#ifdef ORDERLY_LOCK_ORDER

static struct lock registry, service, other_service, leaf, other_leaf;
static struct cond cond;

static int make_locks(void **state)
{
    (void)state;
    lock_init(&registry, LOCK_REGISTRY);
    lock_init(&service, LOCK_SERVICE);
    lock_init(&other_service, LOCK_SERVICE);
    lock_init(&leaf, LOCK_RUN_QUEUE);
    lock_init(&other_leaf, LOCK_WATCHER);
    cond_init(&cond);
    return 0;
}

/* Runs it in a process of its own, which must abort and say all of these words. */
static void aborts(void (*what)(void), const char *first, const char *second)
{
    char text[4096] = "";
    size_t len = 0;
    int out[2], status;
    ssize_t n;
    pid_t pid;

    assert_int_equal(pipe(out), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(out[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL); /* not cmocka's */
        what();
        _exit(0);
    }
    close(out[1]);
    while ((n = read(out[0], text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)n;
    close(out[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(text, first));
    assert_non_null(strstr(text, second));
}

static void take_in_order(void)
{
    lock_take(&registry);
    lock_take(&service);
    lock_take(&leaf);
}

static void the_order_is_registry_one_service_a_leaf(void **state)
{
    (void)state;
    take_in_order();
    lock_release(&registry); /* in any order */
    lock_release(&leaf);
    lock_take(&other_leaf);
    lock_release(&service);
    lock_release(&other_leaf);
    take_in_order(); /* and nothing of it is left */
    lock_release(&leaf);
    lock_release(&service);
    lock_release(&registry);
}

static void take_registry_under_service(void)
{
    lock_take(&service);
    lock_take(&registry);
}

static void take_two_services(void)
{
    lock_take(&service);
    lock_take(&other_service);
}

static void take_two_leaves(void)
{
    lock_take(&leaf);
    lock_take(&other_leaf);
}

static void take_one_twice(void)
{
    lock_take(&service);
    lock_take(&service);
}

static void a_wrong_order_aborts_with_both_names(void **state)
{
    (void)state;
    aborts(take_registry_under_service, "registry: ", "service: ");
    aborts(take_two_leaves, "watcher: ", "run_queue: ");
}

static void two_of_one_class_abort(void **state)
{
    (void)state;
    aborts(take_two_services, "must not be taken", "service: ");
    aborts(take_one_twice, "must not be taken", "service: ");
}

static void release_what_is_not_held(void)
{
    lock_take(&registry);
    lock_release(&service);
}

static void a_release_of_what_is_not_held_aborts(void **state)
{
    (void)state;
    aborts(release_what_is_not_held, "not held", "service: ");
}

static void wait_under_service(void)
{
    lock_take(&service);
    lock_take(&leaf);
    cond_wait_until(&cond, &leaf, 1);
}

static void waiting_under_another_lock_aborts(void **state)
{
    (void)state;
    aborts(wait_under_service, "waited with", "service: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_is_registry_one_service_a_leaf),
        cmocka_unit_test(a_wrong_order_aborts_with_both_names),
        cmocka_unit_test(two_of_one_class_abort),
        cmocka_unit_test(a_release_of_what_is_not_held_aborts),
        cmocka_unit_test(waiting_under_another_lock_aborts),
    };

    return cmocka_run_group_tests(tests, make_locks, NULL);
}

#else

static void without_the_check_a_lock_is_a_mutex_and_no_more(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct lock), sizeof(pthread_mutex_t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_the_check_a_lock_is_a_mutex_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"

#ifdef ORDERLY_FAULTS

static void choose(const char *text)
{
    struct error err = {0};

    if (fault_choose(text, &err) < 0)
        fail_msg("%s: %s", text, err.text);
}

static void refused(const char *text, const char *why)
{
    struct error err = {0};

    assert_true(fault_choose(text, &err) < 0);
    assert_non_null(strstr(err.text, why));
    assert_int_equal(FAULT(journal_commit), 0); /* nothing of it has been taken */
}

/* The stories show what is said; here it would only be in the way. */
static int be_silent(void **state)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)state;
    return null < 0 || dup2(null, STDERR_FILENO) < 0;
}

static void a_point_that_was_not_chosen_lets_everything_pass(void **state)
{
    (void)state;
    choose("fifo_make:error");
    assert_int_equal(FAULT(journal_commit), 0);
    assert_false(FAULTS(fifo_open));
    choose(NULL);
    assert_int_equal(FAULT(fifo_make), 0);
}

static void an_error_is_the_one_that_was_chosen_and_comes_once(void **state)
{
    (void)state;
    choose("journal_commit:error=ENOSPC");
    assert_int_equal(FAULT(journal_commit), -ENOSPC);
    assert_int_equal(FAULT(journal_commit), 0);
    choose("journal_commit:error");
    assert_int_equal(FAULT(journal_commit), -EIO);
}

static void it_trips_from_the_pass_that_was_chosen_so_often(void **state)
{
    int seen[5];

    (void)state;
    choose("journal_commit:error:at=2:times=2");
    for (int i = 0; i < 5; i++)
        seen[i] = FAULT(journal_commit);
    assert_memory_equal(seen, ((int[]){0, -EIO, -EIO, 0, 0}), sizeof seen);
    choose("journal_commit:error:times=0");
    for (int i = 0; i < 100; i++)
        assert_int_equal(FAULT(journal_commit), -EIO);
}

static void errno_says_why_and_is_left_alone_when_nothing_fails(void **state)
{
    (void)state;
    choose("fifo_make:error=EMFILE,fifo_open:delay=1ms");
    errno = EAGAIN;
    assert_false(FAULTS(fifo_open));
    assert_int_equal(errno, EAGAIN);
    assert_true(FAULTS(fifo_make));
    assert_int_equal(errno, EMFILE);
}

static void several_points_are_chosen_at_once(void **state)
{
    (void)state;
    choose("journal_commit:error=ENOSPC,journal_rollback:error=EROFS");
    assert_int_equal(FAULT(journal_rollback), -EROFS);
    assert_int_equal(FAULT(journal_commit), -ENOSPC);
}

static void a_delay_blocks_the_thread_that_passes(void **state)
{
    int64_t began = clock_mono_us();

    (void)state;
    choose("journal_commit:delay=20ms");
    assert_int_equal(FAULT(journal_commit), 0);
    assert_true(clock_mono_us() - began >= 20 * USEC_PER_MSEC);
}

static void a_kill_leaves_no_time_for_anything(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    choose("marks_write:kill");
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)FAULT(marks_write);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void what_cannot_be_understood_is_refused_with_the_reason(void **state)
{
    (void)state;
    refused("journal_comit:error", "no fault point \"journal_comit\"");
    refused("journal_commit", "expected error");
    refused("journal_commit:panic", "expected error");
    refused("journal_commit:error=EVERYTHING", "expected error");
    refused("journal_commit:delay=soon", "expected error");
    refused("journal_commit:error:at=0", "at=0");
    refused("journal_commit:error:times=-1", "times=-1");
    refused("journal_commit:error,fifo_make", "fifo_make: expected error");
    refused("marks_write:error", "cannot fail");
}

static void the_environment_is_read_once_and_handed_to_nobody(void **state)
{
    struct error err = {0};

    (void)state;
    setenv("ORDERLY_FAULT", "journal_commit:error", 1);
    assert_int_equal(fault_begin(&err), 0);
    assert_null(getenv("ORDERLY_FAULT"));
    assert_int_equal(FAULT(journal_commit), -EIO);
    setenv("ORDERLY_FAULT", "nothing:error", 1);
    assert_true(fault_begin(&err) < 0);
    assert_int_equal(strncmp(err.text, "ORDERLY_FAULT: ", 15), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_point_that_was_not_chosen_lets_everything_pass),
        cmocka_unit_test(an_error_is_the_one_that_was_chosen_and_comes_once),
        cmocka_unit_test(it_trips_from_the_pass_that_was_chosen_so_often),
        cmocka_unit_test(errno_says_why_and_is_left_alone_when_nothing_fails),
        cmocka_unit_test(several_points_are_chosen_at_once),
        cmocka_unit_test(a_delay_blocks_the_thread_that_passes),
        cmocka_unit_test(a_kill_leaves_no_time_for_anything),
        cmocka_unit_test(what_cannot_be_understood_is_refused_with_the_reason),
        cmocka_unit_test(the_environment_is_read_once_and_handed_to_nobody),
    };

    return cmocka_run_group_tests(tests, be_silent, NULL);
}

#else

static void without_them_a_point_is_nothing(void **state)
{
    _Static_assert(FAULT(journal_commit) == 0 && !FAULTS(fifo_make), "it costs nothing");
    (void)state;
    setenv("ORDERLY_FAULT", "journal_commit:error", 1);
    assert_int_equal(fault_begin(NULL), 0);
    assert_false(fault_asked(2, (char *[]){"orderlyd", "--fault-points", NULL}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_them_a_point_is_nothing)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif

/* A file that is cut while it is mapped. */
#include "logs/fixture.h"

#include "mapped.h"

#include <sys/mman.h>
#include <sys/resource.h>

#define PAGES 4

/* A map of so many pages whose file has been cut to one. */
static volatile char *cut_map(long size)
{
    int fd = memfd_create("cut", MFD_CLOEXEC);
    char *map;

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, PAGES * size), 0);
    map = mmap(NULL, (size_t)(PAGES * size), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(map != MAP_FAILED);
    memset(map, 'x', (size_t)(PAGES * size));
    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
    return map;
}

static void what_is_gone_reads_as_zeros(void **state)
{
    long size = sysconf(_SC_PAGESIZE);
    volatile char *map = cut_map(size);
    struct mapped mapped;

    (void)state;
    mapped_begin(&mapped);
    assert_int_equal(map[0], 'x');
    assert_int_equal(map[size], 0);
    assert_int_equal(map[3 * size + 17], 0);
    mapped_end(&mapped);
    munmap((void *)map, (size_t)(PAGES * size));
}

static void *read_with_all_blocked(void *argument)
{
    volatile char *at = argument;
    struct mapped mapped;
    sigset_t all, now;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    mapped_begin(&mapped);
    if (*at != 0)
        return "not a zero";
    mapped_end(&mapped);
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    return sigismember(&now, SIGBUS) == 1 ? NULL : "not blocked again";
}

static void a_thread_that_blocks_all_signals_can_read_too(void **state)
{
    long size = sysconf(_SC_PAGESIZE);
    volatile char *map = cut_map(size);
    pthread_t thread;
    void *complaint = NULL;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, read_with_all_blocked, (void *)(map + 2 * size)),
                     0);
    assert_int_equal(pthread_join(thread, &complaint), 0);
    assert_null(complaint);
    munmap((void *)map, (size_t)(PAGES * size));
}

static void anywhere_else_it_is_the_end(void **state)
{
    long size = sysconf(_SC_PAGESIZE);
    volatile char *map = cut_map(size);
    int status;
    pid_t pid;

    (void)state;
    pid = fork_child();
    if (pid == 0) {
        const struct rlimit none = {0, 0};
        struct mapped mapped;

        setrlimit(RLIMIT_CORE, &none);
        mapped_begin(&mapped);
        mapped_end(&mapped);
        _exit(map[size]);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGBUS);
    munmap((void *)map, (size_t)(PAGES * size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_gone_reads_as_zeros),
        cmocka_unit_test(a_thread_that_blocks_all_signals_can_read_too),
        cmocka_unit_test(anywhere_else_it_is_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Walking along the files while another thread renames them. */
#include "logs/fixture.h"

#include "files.h"

#include <stdatomic.h>

static struct place place;
static struct log_files files;
static bool packed;

static int set_up(void **state)
{
    (void)state;
    place_open(&place);
    assert_int_equal(mkdir(place.kept, 0755), 0);
    files.dir_fd = open(place.kept, O_PATH | O_DIRECTORY | O_CLOEXEC);
    files.base = "web";
    return files.dir_fd < 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(files.dir_fd);
    place_close(&place);
    return 0;
}

static int number_in(int fd)
{
    int number = -1;

    assert_int_equal(pread(fd, &number, sizeof number, 0), sizeof number);
    return number;
}

static void set_number(int fd, int number)
{
    assert_int_equal(pwrite(fd, &number, sizeof number, 0), sizeof number);
}

struct rotator {
    pthread_t thread;
    int64_t keep;
    int count;
    atomic_bool done;
};

/* A file that can be seen under its name has not got its number yet: readers wait for its size. */
static void *rotate_on(void *argument)
{
    struct rotator *r = argument;
    int fd = files_open_current(&files);

    set_number(fd, 0);
    for (int i = 1; i <= r->count; i++) {
        assert_int_equal(files_rotate(&files, r->keep, &fd), 0);
        set_number(fd, i);
    }
    close(fd);
    atomic_store(&r->done, true);
    return NULL;
}

static void begin(struct rotator *r)
{
    int fd = files_open_current(&files);

    set_number(fd, 0);
    close(fd);
    assert_int_equal(thread_start(&r->thread, "rotator", rotate_on, r), 0);
}

/* The younger neighbour of a file, as soon as it has its number. */
static int wait_for_younger(struct rotator *r, int fd)
{
    struct stat st;

    for (;;) {
        bool done = atomic_load(&r->done);
        int next = files_open_neighbour(&files, fd, FILES_YOUNGER, &packed);

        if (next >= 0) {
            do
                assert_int_equal(fstat(next, &st), 0);
            while (st.st_size == 0);
            return next;
        }
        if (next == -ESTALE)
            return next;
        assert_int_equal(next, -ENOENT);
        if (done)
            return next;
    }
}

static void a_younger_file_is_always_the_very_next(void **state)
{
    struct rotator r = {.keep = 4000, .count = 300};
    int fd, number = 0;

    (void)state;
    begin(&r);
    fd = files_open_youngest(&files, &packed);
    number = number_in(fd);
    for (;;) {
        int next = wait_for_younger(&r, fd);

        if (next == -ENOENT)
            break;
        assert_true(next >= 0);
        assert_int_equal(number_in(next), number + 1);
        close(fd);
        fd = next;
        number++;
    }
    assert_int_equal(number, r.count);
    close(fd);
    pthread_join(r.thread, NULL);
}

static void one_whose_file_was_dropped_goes_on_in_a_younger_one(void **state)
{
    struct rotator r = {.keep = 3, .count = 3000};
    int fd, number;

    (void)state;
    begin(&r);
    fd = files_open_youngest(&files, &packed);
    number = number_in(fd);
    for (;;) {
        int next = wait_for_younger(&r, fd), found;
        struct stat st;

        if (next == -ENOENT)
            break;
        if (next == -ESTALE) {
            assert_int_equal(fstat(fd, &st), 0);
            next = files_open_oldest(&files, st.st_mtim, &packed);
            if (next == -ENOENT) /* in the moment between two renames */
                continue;
            do
                assert_int_equal(fstat(next, &st), 0);
            while (st.st_size == 0);
        }
        found = number_in(next);
        assert_true(found > number);
        close(fd);
        fd = next;
        number = found;
    }
    assert_int_equal(number, r.count);
    close(fd);
    pthread_join(r.thread, NULL);
}

static void an_older_file_is_always_the_one_before(void **state)
{
    struct rotator r = {.keep = 4000, .count = 300}; /* none is dropped */

    (void)state;
    begin(&r);
    while (!atomic_load(&r.done)) {
        int fd = files_open_youngest(&files, &packed), older;
        struct stat st;

        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &st), 0);
        for (int i = 0; i < 5 && st.st_size > 0; i++) {
            older = files_open_neighbour(&files, fd, FILES_OLDER, &packed);
            if (older == -ENOENT)
                assert_int_equal(number_in(fd), 0);
            if (older < 0)
                break;
            assert_int_equal(number_in(older), number_in(fd) - 1);
            close(fd);
            fd = older;
        }
        close(fd);
    }
    pthread_join(r.thread, NULL);
}

static void the_one_that_is_written_is_known_as_such(void **state)
{
    int fd, old;

    (void)state;
    assert_int_equal(files_open_youngest(&files, &packed), -ENOENT);
    fd = files_open_current(&files);
    old = files_open_youngest(&files, &packed);
    assert_int_equal(files_is_current(&files, old), 1);
    assert_int_equal(files_rotate(&files, 5, &fd), 0);
    assert_int_equal(files_is_current(&files, old), 0);
    assert_int_equal(files_is_current(&files, fd), 1);
    assert_int_equal(unlinkat(files.dir_fd, "web.log", 0), 0);
    assert_int_equal(files_is_current(&files, fd), -ENOENT);
    close(old);
    close(fd);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_younger_file_is_always_the_very_next),
        test(one_whose_file_was_dropped_goes_on_in_a_younger_one),
        test(an_older_file_is_always_the_one_before),
        test(the_one_that_is_written_is_known_as_such),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

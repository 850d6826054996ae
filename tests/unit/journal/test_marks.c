/* The marks: what a next daemon finds in them, whatever happened to the last one. */
#include "sandbox.h"

#include "mark_slot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static struct marks *open_marks(const struct sandbox *box, const char *boot_id)
{
    struct marks *marks;
    struct error err = {0};

    if (marks_open(box->folder, boot_id, &marks, &err) < 0)
        fail_msg("%s", err.text);
    return marks;
}

/* Every third has no ends, as those that nobody has asked anything of. */
static struct mark a_mark(int64_t number, struct mark_end ends[static MARK_ENDS])
{
    struct mark mark = {
        .service = {STATE_BACKOFF, GOAL_UP, number, number / 2},
        .begun = {number + 1000, number + 1001, number, number + 2, number + 3},
        .ends = number % 3 == 0 ? NULL : ends,
    };

    for (int i = 0; i < MARK_ENDS; i++)
        ends[i] = (struct mark_end){
            .first = number + 998 - i * 2,
            .last = number + 999 - i * 2,
            .state = OPERATION_TIMED_OUT,
            .changed = i % 2 == 0,
            .began_utc = number + i,
            .at_utc = number + i + 1,
        };
    return mark;
}

static struct mark_place *place_of(struct marks *marks, const char *service)
{
    struct error err = {0};
    struct mark_place *place = marks_place(marks, service, &err);

    if (!place)
        fail_msg("%s", err.text);
    return place;
}

static void write_mark(struct marks *marks, const char *service, int64_t number)
{
    struct mark_end ends[MARK_ENDS];
    struct mark mark = a_mark(number, ends);

    mark_write(place_of(marks, service), service, &mark);
}

/* The generation left for the service, -1 for none; every field fits to it. */
static int64_t left_of(struct marks *marks, const char *service)
{
    struct mark_left *left;
    size_t count;
    int64_t number = -1;

    assert_int_equal(marks_left(marks, &left, &count, NULL), 0);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(left[i].service, service) != 0)
            continue;
        assert_int_equal(number, -1); /* one for each service */
        number = left[i].mark.service.generation;
        assert_int_equal(left[i].mark.service.state, STATE_BACKOFF);
        assert_int_equal(left[i].mark.service.goal, GOAL_UP);
        assert_int_equal(left[i].mark.service.restarts, number / 2);
        assert_int_equal(left[i].mark.begun.first, number + 1000);
        assert_int_equal(left[i].mark.begun.last, number + 1001);
        assert_int_equal(left[i].mark.begun.generation, number);
        assert_int_equal(left[i].mark.begun.at_utc, number + 2);
        assert_int_equal(left[i].mark.begun.at_mono, number + 3);
        for (int k = 0; k < MARK_ENDS; k++) {
            const struct mark_end *end = &left[i].ends[k];

            if (number % 3 == 0) {
                assert_int_equal(end->first, 0);
                continue;
            }
            assert_int_equal(end->first, number + 998 - k * 2);
            assert_int_equal(end->last, number + 999 - k * 2);
            assert_int_equal(end->state, OPERATION_TIMED_OUT);
            assert_int_equal(end->changed, k % 2 == 0);
            assert_int_equal(end->began_utc, number + k);
            assert_int_equal(end->at_utc, number + k + 1);
        }
    }
    free(left);
    return number;
}

static size_t count_left(struct marks *marks)
{
    struct mark_left *left;
    size_t count;

    assert_int_equal(marks_left(marks, &left, &count, NULL), 0);
    free(left);
    return count;
}

static void marks_path(const struct sandbox *box, char path[static 96])
{
    snprintf(path, 96, "%s/marks", box->folder);
}

static void overwrite(const struct sandbox *box, off_t at, const void *bytes, size_t n)
{
    char path[96];
    int fd;

    marks_path(box, path);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, n, at), n);
    close(fd);
}

static void what_was_written_last_is_left_for_the_next(void **state)
{
    struct marks *marks = open_marks(*state, "boot-1");

    assert_int_equal(count_left(marks), 0);
    for (int64_t number = 1; number <= 5; number++)
        write_mark(marks, "web", number);
    write_mark(marks, "db", 77);
    marks_close(marks);
    marks = open_marks(*state, "boot-1");
    assert_int_equal(count_left(marks), 2);
    assert_int_equal(left_of(marks, "web"), 5);
    assert_int_equal(left_of(marks, "db"), 77);
    write_mark(marks, "web", 6);
    marks_close(marks);
    marks = open_marks(*state, "boot-1");
    assert_int_equal(left_of(marks, "web"), 6);
    marks_close(marks);
}

static void a_service_has_the_same_place_each_time_and_alone(void **state)
{
    struct marks *marks = open_marks(*state, "boot-1");
    struct mark_place *web = place_of(marks, "web");

    assert_ptr_not_equal(place_of(marks, "db"), web);
    assert_ptr_equal(place_of(marks, "web"), web);
    assert_int_equal(count_left(marks), 0); /* a place alone is no mark */
    write_mark(marks, "web", 3);
    marks_close(marks);
    marks = open_marks(*state, "boot-1");
    write_mark(marks, "web", 4);
    assert_int_equal(count_left(marks), 1);
    marks_close(marks);
}

static void another_boot_begins_anew(void **state)
{
    struct marks *marks = open_marks(*state, "boot-1");

    write_mark(marks, "web", 5);
    marks_close(marks);
    marks = open_marks(*state, "boot-2");
    assert_int_equal(count_left(marks), 0);
    write_mark(marks, "db", 6);
    marks_close(marks);
    marks = open_marks(*state, "boot-1"); /* nothing of the first is dug up */
    assert_int_equal(count_left(marks), 0);
    marks_close(marks);
}

static void a_file_of_an_unknown_version_begins_anew(void **state)
{
    struct marks *marks = open_marks(*state, "boot-1");
    const char other = 0x7f;

    write_mark(marks, "web", 5);
    marks_close(marks);
    overwrite(*state, 0, &other, 1);
    marks = open_marks(*state, "boot-1");
    assert_int_equal(count_left(marks), 0);
    write_mark(marks, "web", 6);
    marks_close(marks);
    marks = open_marks(*state, "boot-1");
    assert_int_equal(left_of(marks, "web"), 6);
    marks_close(marks);
}

static void rubbish_and_short_files_begin_anew(void **state)
{
    char rubbish[9000];
    struct marks *marks;

    memset(rubbish, 'x', sizeof rubbish);
    for (size_t n = 1; n <= sizeof rubbish; n += 2999) {
        overwrite(*state, 0, rubbish, n);
        marks = open_marks(*state, "boot-1");
        assert_int_equal(count_left(marks), 0);
        write_mark(marks, "web", (int64_t)n);
        marks_close(marks);
        marks = open_marks(*state, "boot-1");
        assert_int_equal(left_of(marks, "web"), n);
        marks_close(marks);
    }
}

/* Wherever a write broke off, the mark before it counts. */
static void a_torn_copy_leaves_the_one_before(void **state)
{
    struct sandbox *box = *state;

    for (size_t keep = 0; keep < sizeof(struct mark_copy) - 4; keep += 7) {
        char rubbish[MARK_COPY_SIZE];
        struct marks *marks = open_marks(box, "boot-1");
        int64_t before;

        memset(rubbish, 0xa5, sizeof rubbish);
        write_mark(marks, "web", (int64_t)keep * 2 + 1);
        write_mark(marks, "web", (int64_t)keep * 2 + 2);
        before = (int64_t)keep * 2 + 1;
        marks_close(marks);
        /* A new file's first mark is in its first copy, so the second is in the other. */
        overwrite(box, MARK_HEADER_SIZE + MARK_COPY_SIZE + (off_t)keep, rubbish,
                  sizeof(struct mark_copy) - keep);
        marks = open_marks(box, "boot-1");
        assert_int_equal(left_of(marks, "web"), before);
        marks_close(marks);
        marks = open_marks(box, "boot-0"); /* anew for the next round */
        marks_close(marks);
    }
}

/* The ends lie apart from the rest, and are a part of it all the same. */
static void ends_that_are_torn_leave_the_mark_before(void **state)
{
    struct sandbox *box = *state;
    const off_t ends = MARK_HEADER_SIZE + (off_t)offsetof(struct mark_block, ends);

    for (size_t keep = 0; keep < sizeof(struct mark_copy_end) * MARK_ENDS; keep += 13) {
        struct marks *marks = open_marks(box, "boot-1");
        const char rubbish = 0x5a;

        write_mark(marks, "web", 1);
        write_mark(marks, "web", 2);
        marks_close(marks);
        overwrite(box, ends + (off_t)(sizeof(struct mark_copy_end) * MARK_ENDS + keep), &rubbish,
                  1);
        marks = open_marks(box, "boot-1");
        assert_int_equal(left_of(marks, "web"), 1);
        marks_close(marks);
        marks = open_marks(box, "boot-0"); /* anew for the next round */
        marks_close(marks);
    }
}

static void a_slot_with_both_copies_broken_is_nobody_s(void **state)
{
    struct marks *marks = open_marks(*state, "boot-1");
    char rubbish[2 * MARK_COPY_SIZE];

    memset(rubbish, 0xa5, sizeof rubbish);
    write_mark(marks, "web", 1);
    write_mark(marks, "db", 2);
    marks_close(marks);
    overwrite(*state, MARK_HEADER_SIZE, rubbish, sizeof rubbish);
    marks = open_marks(*state, "boot-1");
    assert_int_equal(left_of(marks, "web"), -1);
    assert_int_equal(left_of(marks, "db"), 2);
    write_mark(marks, "web", 3);
    marks_close(marks);
    marks = open_marks(*state, "boot-1");
    assert_int_equal(left_of(marks, "web"), 3);
    marks_close(marks);
}

static void many_services_make_the_file_grow_and_places_stay(void **state)
{
    enum { MANY = 1500 };
    struct marks *marks = open_marks(*state, "boot-1");
    struct mark_place **places = calloc(MANY, sizeof *places);
    char name[SERVICE_NAME_MAX + 1];

    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "service-%d", i);
        places[i] = place_of(marks, name);
    }
    for (int i = 0; i < MANY; i++) { /* by the places as they were before it grew */
        struct mark_end ends[MARK_ENDS];
        struct mark mark = a_mark(i, ends);

        snprintf(name, sizeof name, "service-%d", i);
        mark_write(places[i], name, &mark);
    }
    marks_close(marks);
    marks = open_marks(*state, "boot-1");
    assert_int_equal(count_left(marks), MANY);
    for (int i = 0; i < MANY; i += 101) {
        snprintf(name, sizeof name, "service-%d", i);
        assert_int_equal(left_of(marks, name), i);
    }
    marks_close(marks);
    free(places);
}

static void the_longest_name_has_room_and_a_longer_one_is_refused(void **state)
{
    struct marks *marks = open_marks(*state, "boot-1");
    struct error err = {0};
    char name[SERVICE_NAME_MAX + 2];

    memset(name, 'n', sizeof name);
    name[SERVICE_NAME_MAX + 1] = '\0';
    assert_null(marks_place(marks, name, &err));
    assert_int_equal(err.code, -EINVAL);
    name[SERVICE_NAME_MAX] = '\0';
    write_mark(marks, name, 9);
    marks_close(marks);
    marks = open_marks(*state, "boot-1");
    assert_int_equal(left_of(marks, name), 9);
    marks_close(marks);
}

/* Tells each number that was written, then goes on: what was told is never missing afterwards, and
 * what is left is a whole mark. */
static void write_until_killed(const struct sandbox *box, int tell)
{
    struct marks *marks = open_marks(box, "boot-1");
    struct mark_place *web = place_of(marks, "web"), *db = place_of(marks, "db");
    int64_t number = left_of(marks, "web");

    for (number = number < 0 ? 1 : number + 1;; number++) {
        struct mark_end ends[MARK_ENDS];
        struct mark mark = a_mark(number, ends);

        mark_write(web, "web", &mark);
        mark_write(db, "db", &mark);
        if (write(tell, &number, sizeof number) != (ssize_t)sizeof number)
            _exit(0);
    }
}

static int64_t kill_a_writer(const struct sandbox *box, int64_t enough)
{
    int64_t told = 0;
    int ends[2];
    pid_t child;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        write_until_killed(box, ends[1]);
    }
    close(ends[1]);
    for (int64_t i = 0; i < enough; i++)
        assert_int_equal(read(ends[0], &told, sizeof told), sizeof told);
    kill(child, SIGKILL);
    while (read(ends[0], &told, sizeof told) == (ssize_t)sizeof told)
        ; /* all that it could still tell */
    close(ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return told;
}

static void a_writer_that_is_killed_loses_nothing_that_it_told_of(void **state)
{
    for (int i = 0; i < 200; i++) {
        int64_t told = kill_a_writer(*state, 1 + i % 17);
        struct marks *marks = open_marks(*state, "boot-1");
        int64_t web = left_of(marks, "web"), db = left_of(marks, "db");

        assert_true(web == told || web == told + 1);
        assert_true(db == told || db == told + 1);
        assert_true(db <= web);
        marks_close(marks);
    }
}

static void what_is_no_file_is_refused_by_name(void **state)
{
    struct sandbox *box = *state;
    struct marks *marks;
    struct error err = {0};
    char path[96];

    marks_path(box, path);
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_true(marks_open(box->folder, "boot-1", &marks, &err) < 0);
    assert_non_null(strstr(err.text, path));
    unlink(path);
    marks_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_last_is_left_for_the_next),
        TEST(a_service_has_the_same_place_each_time_and_alone),
        TEST(another_boot_begins_anew),
        TEST(a_file_of_an_unknown_version_begins_anew),
        TEST(rubbish_and_short_files_begin_anew),
        TEST(a_torn_copy_leaves_the_one_before),
        TEST(ends_that_are_torn_leave_the_mark_before),
        TEST(a_slot_with_both_copies_broken_is_nobody_s),
        TEST(many_services_make_the_file_grow_and_places_stay),
        TEST(the_longest_name_has_room_and_a_longer_one_is_refused),
        TEST(a_writer_that_is_killed_loses_nothing_that_it_told_of),
        TEST(what_is_no_file_is_refused_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The instance file: what a next daemon finds in it, whatever happened to the last one. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/error.h"
#include "slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scene {
    char folder[64], path[96];
    struct instances *file;
};

static void open_file(struct scene *s)
{
    struct error err = {0};

    if (instances_open(s->folder, &s->file, &err) < 0)
        fail_msg("%s", err.text);
}

static void reopen(struct scene *s)
{
    instances_free(s->file);
    open_file(s);
}

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);

    strcpy(s->folder, "/tmp/orderly-instances-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->path, sizeof s->path, "%s/instances", s->folder);
    open_file(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;

    instances_free(s->file);
    unlink(s->path);
    rmdir(s->folder);
    free(s);
    return 0;
}

static size_t write_one(struct scene *s, const char *service, int64_t generation)
{
    struct instance_data data = {.generation = generation, .pid = 42, .parent = NO_PARENT};
    size_t slot;

    assert_int_equal(instances_reserve(s->file, service, &slot, NULL), 0);
    snprintf(data.service, sizeof data.service, "%s", service);
    instances_write(s->file, slot, &data);
    return slot;
}

static size_t count_open(struct scene *s)
{
    struct instance_data data;
    size_t open = 0;

    for (size_t i = 0; i < instances_count(s->file); i++)
        open += instances_read(s->file, i, &data);
    return open;
}

static void open_records_are_found_after_reopening_and_closed_ones_are_not(void **state)
{
    struct scene *s = *state;
    struct instance_data data;
    size_t slot, web = write_one(s, "web", 7), db = write_one(s, "db", 3);

    instances_mark(s->file, web, PHASE_STOPPING);
    instances_set_main(s->file, web, 99, 12345);
    instances_let_go(s->file, db, true);
    reopen(s);
    assert_int_equal(count_open(s), 1);
    assert_int_equal(instances_claim(s->file, "db", 3, &slot, &data), -ENOENT);
    assert_int_equal(instances_claim(s->file, "web", 6, &slot, &data), -ENOENT);
    assert_int_equal(instances_claim(s->file, "web", 7, &slot, &data), 0);
    assert_int_equal(data.phase, PHASE_STOPPING);
    assert_int_equal(data.pid, 99);
    assert_int_equal(data.ticks, 12345);
    assert_int_equal(instances_claim(s->file, "web", 7, &slot, &data), -ENOENT);
}

/* Whichever byte of the newer copy was not written, the older one counts. */
static void a_torn_write_leaves_the_record_before_it(void **state)
{
    struct slot slot = {0}, torn;
    struct instance_data data = {.generation = 1, .service = "web"};

    (void)state;
    slot_write(&slot, &data, true);
    data.generation = 2;
    slot_write(&slot, &data, true);
    data.generation = 3;
    slot_write(&slot, &data, true);
    assert_int_equal(slot_current(&slot)->data.generation, 3);
    for (size_t i = 0; i < sizeof(struct copy); i++) {
        size_t newer = slot_current(&slot) == &slot.copies[0].copy ? 0 : 1;

        torn = slot;
        torn.copies[newer].size[i] ^= 0x20;
        assert_non_null(slot_current(&torn));
        assert_int_equal(slot_current(&torn)->data.generation, 2);
        slot_write(&torn, &data, true); /* and the broken one is the one that is written over */
        assert_int_equal(slot_current(&torn)->data.generation, 3);
        torn.copies[!newer].size[i] ^= 0x20;
        torn.copies[newer].size[i] ^= 0x20;
        assert_true(slot_current(&torn) == NULL);
    }
}

static void a_service_keeps_its_slot_so_that_a_full_disk_cannot_stop_its_next_start(void **state)
{
    struct scene *s = *state;
    size_t web = write_one(s, "web", 1);

    instances_let_go(s->file, web, true);
    for (int i = 0; i < 40; i++) {
        char name[32];

        snprintf(name, sizeof name, "other-%d", i);
        write_one(s, name, 1);
    }
    assert_int_equal(write_one(s, "web", 2), web);
    instances_let_go(s->file, web, true);
    reopen(s);
    assert_int_equal(write_one(s, "web", 3), web);
}

static void a_second_instance_of_a_service_gets_a_slot_of_its_own(void **state)
{
    struct scene *s = *state;
    size_t old = write_one(s, "web", 1), new = write_one(s, "web", 2);

    assert_int_not_equal(old, new);
    instances_let_go(s->file, old, true);
    reopen(s);
    assert_int_equal(count_open(s), 1);
}

static void it_grows_by_blocks_and_forgets_nothing(void **state)
{
    struct scene *s = *state;
    size_t before = instances_count(s->file);

    for (int i = 0; i < 1000; i++) {
        char name[32];

        snprintf(name, sizeof name, "s%d", i);
        write_one(s, name, i + 1);
    }
    assert_true(instances_count(s->file) > before);
    assert_int_equal(count_open(s), 1000);
    reopen(s);
    assert_int_equal(count_open(s), 1000);
}

static void rubbish_in_the_file_is_no_record(void **state)
{
    struct scene *s = *state;
    unsigned char rubbish[100000];
    unsigned seed = 1;
    int fd;

    instances_free(s->file);
    s->file = NULL;
    for (size_t i = 0; i < sizeof rubbish; i++)
        rubbish[i] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16);
    fd = open(s->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(fd, rubbish, sizeof rubbish), (ssize_t)sizeof rubbish);
    close(fd);
    open_file(s);
    assert_int_equal(count_open(s), 0);
    write_one(s, "web", 1);
    reopen(s);
    assert_int_equal(count_open(s), 1);
}

static void what_is_no_regular_file_is_refused_by_name(void **state)
{
    struct scene *s = *state;
    struct error err = {0};

    instances_free(s->file);
    s->file = NULL;
    unlink(s->path);
    assert_int_equal(mkdir(s->path, 0700), 0);
    assert_true(instances_open(s->folder, &s->file, &err) < 0);
    assert_non_null(strstr(err.text, s->path));
    rmdir(s->path);
}

static void folders_of_groups_are_kept_once_and_given_up_when_unused(void **state)
{
    struct scene *s = *state;
    char path[PARENT_PATH_SIZE], too_long[PARENT_PATH_SIZE + 1];
    uint32_t first, again, number;
    struct instance_data data = {.service = "web", .generation = 1};
    size_t slot;

    assert_int_equal(instances_parent_add(s->file, "/groups/a", &first), 0);
    assert_int_equal(instances_parent_add(s->file, "/groups/a", &again), 0);
    assert_int_equal(first, again);
    assert_int_equal(instances_reserve(s->file, "web", &slot, NULL), 0);
    data.parent = first;
    instances_write(s->file, slot, &data);
    for (int i = 0; i < 50; i++) {
        snprintf(path, sizeof path, "/groups/%d", i);
        assert_int_equal(instances_parent_add(s->file, path, &number), 0);
        assert_int_not_equal(number, first);
    }
    reopen(s);
    assert_true(instances_parent(s->file, first, path));
    assert_string_equal(path, "/groups/a");
    assert_false(instances_parent(s->file, 1000, path));
    memset(too_long, '/', sizeof too_long);
    too_long[sizeof too_long - 1] = '\0';
    assert_int_equal(instances_parent_add(s->file, too_long, &number), -ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(open_records_are_found_after_reopening_and_closed_ones_are_not),
        TEST(a_torn_write_leaves_the_record_before_it),
        TEST(a_service_keeps_its_slot_so_that_a_full_disk_cannot_stop_its_next_start),
        TEST(a_second_instance_of_a_service_gets_a_slot_of_its_own),
        TEST(it_grows_by_blocks_and_forgets_nothing),
        TEST(rubbish_in_the_file_is_no_record),
        TEST(what_is_no_regular_file_is_refused_by_name),
        TEST(folders_of_groups_are_kept_once_and_given_up_when_unused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Old files are packed beside everything else, and read as if they were not. */
#include "logs/fixture.h"

#include "logs/asked.h"
#include "pack.h"
#include "state.h"

static struct place place;
static struct service_spec *spec;

static int set_up(void **state)
{
    (void)state;
    place_open(&place);
    spec = spec_new("web");
    if (!spec)
        return -1;
    spec->log_compress = true;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    spec_unref(spec);
    place_close(&place);
    return 0;
}

static bool never(void *context)
{
    (void)context;
    return false;
}

/* What a file of that name was packed from. */
static void unpack(const char *file, struct text *got)
{
    char command[256], block[4096];
    size_t n;
    FILE *f;

    snprintf(command, sizeof command, "gzip -dc %s/%s", place.kept, file);
    f = popen(command, "r");
    assert_non_null(f);
    text_append(got, "");
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        text_append_n(got, block, n);
    assert_int_equal(pclose(f), 0);
}

static void assert_packed(const char *file, const char *content)
{
    struct text got = {0};

    unpack(file, &got);
    assert_string_equal(got.data, content);
    text_deinit(&got);
}

/* Until no plain old file is left: the name is looked at after each portion of a tail. */
static void wait_packed(struct log *log, const char *plain, const char *packed)
{
    int64_t until = clock_mono_us() + LONG;

    while (exists(&place, plain) || !exists(&place, packed)) {
        assert_true(clock_mono_us() < until);
        wait_captured(log);
    }
}

static void an_old_file_becomes_a_packed_one(void **state)
{
    struct logs *logs = start(&place);
    struct stat st, packed;
    struct log *log;
    char path[160];
    int out;

    (void)state;
    log = open_spec(logs, spec);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    put_text(out, "one\n");
    wait_captured(log);
    snprintf(path, sizeof path, "%s/web.log", place.kept);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(ask_to_rotate(logs, "web"), 0);
    wait_packed(log, "web.log.1", "web.log.1.gz");
    put_text(out, "two\n");
    assert_int_equal(ask_to_rotate(logs, "web"), 0);
    wait_packed(log, "web.log.1", "web.log.1.gz");
    snprintf(path, sizeof path, "%s/web.log.2.gz", place.kept);
    assert_int_equal(stat(path, &packed), 0);
    assert_int_equal(packed.st_mode & 07777, 0640);
    assert_int_equal(packed.st_mtim.tv_sec, st.st_mtim.tv_sec);
    assert_int_equal(packed.st_mtim.tv_nsec, st.st_mtim.tv_nsec);
    logs_stop(logs);
    close(out);
    assert_packed("web.log.2.gz", "one\n");
    assert_packed("web.log.1.gz", "two\n");
    assert_false(exists(&place, "web.log.gz.new"));
}

static void a_packed_file_tells_what_it_was_made_of(void **state)
{
    struct stat st, other;
    char path[160];
    int source, pack;

    (void)state;
    assert_int_equal(mkdir(place.kept, 0755), 0);
    write_one(&place, "source", "some words\n");
    write_one(&place, "other", "some words\n");
    snprintf(path, sizeof path, "%s/other", place.kept);
    assert_int_equal(stat(path, &other), 0);
    snprintf(path, sizeof path, "%s/source", place.kept);
    source = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "%s/pack.gz", place.kept);
    pack = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(source >= 0 && pack >= 0);
    assert_int_equal(fstat(source, &st), 0);
    assert_int_equal(pack_file(source, &st, pack, never, NULL), 0);
    assert_true(pack_is_of(pack, &st));
    assert_false(pack_is_of(pack, &other));
    assert_false(pack_is_of(source, &st));
    close(source);
    close(pack);
    assert_packed("pack.gz", "some words\n");
}

static void what_a_killed_daemon_left_half_done_is_cleaned_up(void **state)
{
    struct logs *logs;
    struct log *log;

    (void)state;
    assert_int_equal(mkdir(place.kept, 0755), 0);
    write_one(&place, "web.log", "three\n");
    write_one(&place, "web.log.1", "two\n");
    write_one(&place, "web.log.2", "one\n");
    write_one(&place, "web.log.gz.new", "rubbish");
    write_one(&place, "web.log.new", "rubbish");
    logs = start(&place);
    log = open_spec(logs, spec); /* compress was just switched on */
    wait_packed(log, "web.log.1", "web.log.1.gz");
    wait_packed(log, "web.log.2", "web.log.2.gz");
    logs_stop(logs);
    assert_false(exists(&place, "web.log.gz.new"));
    assert_false(exists(&place, "web.log.new"));
    write_one(&place, "web.log.2", "one\n"); /* as it was before its removal */
    logs = start(&place);
    spec->log_compress = false;
    open_spec(logs, spec);
    assert_false(exists(&place, "web.log.2"));
    logs_stop(logs);
    assert_packed("web.log.2.gz", "one\n");
}

static void oldest_ones_go_in_either_form(void **state)
{
    struct logs *logs = start(&place);
    struct log *log;
    int out;

    (void)state;
    spec->log_max_files = 2;
    log = open_spec(logs, spec);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    for (int i = 1; i <= 3; i++) {
        put_text(out, "packed\n");
        assert_int_equal(ask_to_rotate(logs, "web"), 0);
        wait_packed(log, "web.log.1", "web.log.1.gz");
    }
    spec->log_compress = false;
    open_spec(logs, spec);
    put_text(out, "plain\n");
    assert_int_equal(ask_to_rotate(logs, "web"), 0);
    assert_kept(&place, "web.log.1", "plain\n");
    assert_true(exists(&place, "web.log.2.gz"));
    put_text(out, "plain too\n");
    assert_int_equal(ask_to_rotate(logs, "web"), 0);
    assert_kept(&place, "web.log.2", "plain\n");
    assert_false(exists(&place, "web.log.2.gz"));
    assert_false(exists(&place, "web.log.3.gz"));
    logs_stop(logs);
    close(out);
}

/* ---- reading ---- */

static void read_last(struct logs *logs, size_t lines, const char *expected)
{
    struct log_reader *reader = open_reader(logs, "web", lines);
    struct text got = {0};

    text_append(&got, "");
    read_rest(reader, &got);
    assert_string_equal(got.data, expected);
    text_deinit(&got);
    log_reader_close(reader);
}

static void a_reader_begins_anywhere_in_packed_files(void **state)
{
    struct logs *logs = start(&place);
    struct log *log;
    int out;

    (void)state;
    log = open_spec(logs, spec);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    put_text(out, "1\n2\n3\n");
    assert_int_equal(ask_to_rotate(logs, "web"), 0);
    put_text(out, "4\n5\n");
    wait_packed(log, "web.log.1", "web.log.1.gz");
    assert_int_equal(ask_to_rotate(logs, "web"), 0);
    wait_packed(log, "web.log.1", "web.log.1.gz");
    put_text(out, "6\n");
    wait_captured(log);
    read_last(logs, SIZE_MAX, "1\n2\n3\n4\n5\n6\n");
    read_last(logs, 100, "1\n2\n3\n4\n5\n6\n");
    read_last(logs, 6, "1\n2\n3\n4\n5\n6\n");
    read_last(logs, 5, "2\n3\n4\n5\n6\n");
    read_last(logs, 4, "3\n4\n5\n6\n");
    read_last(logs, 3, "4\n5\n6\n");
    read_last(logs, 2, "5\n6\n");
    read_last(logs, 1, "6\n");
    read_last(logs, 0, "");
    logs_stop(logs);
    close(out);
}

/* NAME.log itself is missing: others have removed it. */
static void a_packed_file_may_be_the_youngest(void **state)
{
    struct logs *logs = start(&place);
    struct log *log;
    char path[160];
    int out;

    (void)state;
    log = open_spec(logs, spec);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    put_text(out, "1\n2\n");
    assert_int_equal(ask_to_rotate(logs, "web"), 0);
    wait_packed(log, "web.log.1", "web.log.1.gz");
    snprintf(path, sizeof path, "%s/web.log", place.kept);
    assert_int_equal(unlink(path), 0);
    read_last(logs, SIZE_MAX, "1\n2\n");
    read_last(logs, 2, "1\n2\n");
    read_last(logs, 1, "2\n");
    read_last(logs, 0, "");
    logs_stop(logs);
    close(out);
}

static void the_tail_reaches_back_into_a_packed_file(void **state)
{
    struct logs *logs = start(&place);
    struct log_reader *reader;
    struct log *log;
    struct text got = {0};
    int out;

    (void)state;
    log = open_spec(logs, spec);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    put_text(out, "1\n2\n3\n");
    assert_int_equal(ask_to_rotate(logs, "web"), 0);
    wait_packed(log, "web.log.1", "web.log.1.gz");
    reader = open_reader(logs, "web", 2);
    put_text(out, "4\n");
    follow(reader, &got, 6);
    assert_string_equal(got.data, "2\n3\n4\n");
    text_deinit(&got);
    log_reader_close(reader);
    logs_stop(logs);
    close(out);
}

/* A reader that stands in a file while that is packed goes on behind it, and doubles nothing. */
static void a_reader_goes_on_while_its_file_is_packed(void **state)
{
    struct logs *logs = start(&place);
    struct log_reader *reader;
    struct text got = {0};
    struct log *log;
    char block[3];
    int out;

    (void)state;
    log = open_spec(logs, spec);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    put_text(out, "1\n2\n3\n");
    wait_captured(log);
    reader = open_reader(logs, "web", SIZE_MAX);
    assert_int_equal(log_reader_read(reader, block, sizeof block), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask_to_rotate(logs, "web"), 0);
        wait_packed(log, "web.log.1", "web.log.1.gz");
        put_text(out, "next\n");
    }
    wait_captured(log);
    text_append(&got, "");
    read_rest(reader, &got);
    assert_string_equal(got.data, "\n3\nnext\nnext\nnext\n");
    text_deinit(&got);
    log_reader_close(reader);
    logs_stop(logs);
    close(out);
}

static void rotations_and_packing_at_once_lose_and_double_nothing(void **state)
{
    enum { LINES = 60000 };
    struct logs *logs = start(&place);
    struct log_reader *reader;
    struct text got = {0};
    struct log *log;
    pid_t writer;

    (void)state;
    spec->log_max_size = 20000;
    spec->log_max_files = 1000;
    log = open_spec(logs, spec);
    reader = open_reader(logs, "web", 0);
    writer = start_writer(log_fifo(log, STREAM_STDOUT), LINES);
    follow(reader, &got, (size_t)LINES * LINE_SIZE);
    assert_lines(&got, 0, LINES);
    log_reader_close(reader);
    logs_stop(logs); /* in the midst of it */
    end_process(writer);
    got.len = 0;
    read_kept(&place, "web", &got);
    assert_lines(&got, 0, LINES);
    assert_false(exists(&place, "web.log.gz.new"));
    text_deinit(&got);
}

static void a_daemon_killed_while_it_packs_loses_nothing(void **state)
{
    enum { LINES = 30000, TIMES = 10 };
    struct logs *logs = start(&place);
    struct log_reader *reader;
    struct text got = {0};
    pid_t writer;
    char *fifo;
    int hold;

    (void)state;
    spec->log_max_size = 20000;
    spec->log_max_files = 1000;
    fifo = strdup(log_fifo(open_spec(logs, spec), STREAM_STDOUT));
    assert_non_null(fifo);
    logs_stop(logs);
    hold = open_output(fifo);
    writer = start_writer(fifo, LINES);
    for (int i = 0; i < TIMES; i++) {
        pid_t pid = fork_child();
        int status;

        if (pid == 0) {
            struct text some = {0};

            logs = start(&place);
            open_spec(logs, spec);
            follow(open_reader(logs, "web", 0), &some, (size_t)(30000 + i * 1777));
            raise(SIGKILL);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
    logs = start(&place);
    open_spec(logs, spec);
    reader = open_reader(logs, "web", SIZE_MAX);
    follow(reader, &got, (size_t)LINES * LINE_SIZE);
    assert_lines(&got, 0, LINES);
    log_reader_close(reader);
    logs_stop(logs);
    end_process(writer);
    close(hold);
    text_deinit(&got);
    free(fifo);
}

/* A folder in the way of the packed file. */
static void what_can_not_be_packed_stays_plain_and_is_told(void **state)
{
    struct logs *logs = start(&place);
    struct log_trouble trouble = {0};
    struct log *log;
    char path[160];
    int out;

    (void)state;
    log = open_spec(logs, spec);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    snprintf(path, sizeof path, "%s/web.log.gz.new", place.kept);
    assert_int_equal(mkdir(path, 0755), 0);
    put_text(out, "one\n");
    assert_int_equal(ask_to_rotate(logs, "web"), 0);
    for (int64_t until = clock_mono_us() + LONG; trouble.rotate_error == 0;) {
        assert_true(clock_mono_us() < until);
        wait_captured(log);
        log_trouble(log, &trouble);
    }
    assert_int_equal(trouble.rotate_error, -EISDIR);
    assert_kept(&place, "web.log.1", "one\n");
    assert_int_equal(rmdir(path), 0);
    put_text(out, "two\n");
    assert_int_equal(ask_to_rotate(logs, "web"), 0);
    wait_packed(log, "web.log.2", "web.log.2.gz");
    wait_packed(log, "web.log.1", "web.log.1.gz");
    logs_stop(logs);
    close(out);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(an_old_file_becomes_a_packed_one),
        test(a_packed_file_tells_what_it_was_made_of),
        test(what_a_killed_daemon_left_half_done_is_cleaned_up),
        test(oldest_ones_go_in_either_form),
        test(a_reader_begins_anywhere_in_packed_files),
        test(a_packed_file_may_be_the_youngest),
        test(the_tail_reaches_back_into_a_packed_file),
        test(a_reader_goes_on_while_its_file_is_packed),
        test(rotations_and_packing_at_once_lose_and_double_nothing),
        test(a_daemon_killed_while_it_packs_loses_nothing),
        test(what_can_not_be_packed_stays_plain_and_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

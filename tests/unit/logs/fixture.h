/* fixture - folders of their own for a test, a service that writes, a reader that waits.
 * Threads: each test's. Ownership: place_close() removes the folders. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/text.h"
#include "logs/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIXTURE static inline __attribute__((unused))
#define LONG    (60 * USEC_PER_SEC) /* never reached but by a failure */

struct place {
    char root[64], run[80], kept[80];
};

FIXTURE void place_open(struct place *p)
{
    snprintf(p->root, sizeof p->root, "/tmp/orderly-logs-XXXXXX");
    assert_non_null(mkdtemp(p->root));
    snprintf(p->run, sizeof p->run, "%s/run", p->root);
    snprintf(p->kept, sizeof p->kept, "%s/log", p->root);
}

FIXTURE int place_remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

FIXTURE void place_close(struct place *p)
{
    assert_int_equal(nftw(p->root, place_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

FIXTURE struct logs *start_with(const struct place *p, struct logs_config config)
{
    struct error err = {0};
    struct logs *logs = NULL;

    config.runtime_dir = p->run;
    config.log_dir = p->kept;
    if (logs_start(&config, &logs, &err) < 0)
        fail_msg("%s", err.text);
    return logs;
}

FIXTURE struct logs *start(const struct place *p)
{
    return start_with(p, (struct logs_config){.console = -1});
}

/* Opens a log as the spec says; the spec stays the caller's. */
FIXTURE struct log *open_spec(struct logs *logs, const struct service_spec *spec)
{
    struct error err = {0};
    struct log *log = NULL;

    if (log_open_service(logs, spec, &log, &err) < 0)
        fail_msg("%s", err.text);
    return log;
}

FIXTURE struct log *open_log(struct logs *logs, const char *name, int64_t size, int64_t files)
{
    struct service_spec *spec = spec_new(name);
    struct log *log;

    assert_non_null(spec);
    spec->log_max_size = size;
    spec->log_max_files = files;
    log = open_spec(logs, spec);
    spec_unref(spec);
    return log;
}

/* As the executor does it for a service: read-write, blocking. */
FIXTURE int open_output(const char *fifo)
{
    int fd = open(fifo, O_RDWR | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

FIXTURE void put(int fd, const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        ssize_t n = write(fd, at, size);

        assert_true(n > 0);
        at += n;
        size -= (size_t)n;
    }
}

FIXTURE void put_text(int fd, const char *s)
{
    put(fd, s, strlen(s));
}

/* ---- something that is waited for ---- */

struct gate {
    struct lock lock;
    struct cond cond;
    int count;
};

FIXTURE void gate_init(struct gate *g)
{
    lock_init(&g->lock, LOCK_TEST);
    cond_init(&g->cond);
    g->count = 0;
}

FIXTURE void gate_open(void *context)
{
    struct gate *g = context;

    lock_take(&g->lock);
    g->count++;
    cond_signal(&g->cond);
    lock_release(&g->lock);
}

/* Waits until it was opened for the first time. */
FIXTURE void gate_pass(struct gate *g)
{
    int64_t until = clock_mono_us() + LONG;

    lock_take(&g->lock);
    while (g->count == 0)
        assert_true(cond_wait_until(&g->cond, &g->lock, until));
    lock_release(&g->lock);
}

FIXTURE void gate_deinit(struct gate *g)
{
    cond_deinit(&g->cond);
    lock_deinit(&g->lock);
}

FIXTURE void wait_for_more(struct log_reader *reader)
{
    struct gate gate;

    gate_init(&gate);
    log_reader_wait(reader, clock_mono_us() + LONG, gate_open, &gate);
    gate_pass(&gate);
    gate_deinit(&gate);
}

FIXTURE struct log_reader *open_stream(struct logs *logs, const char *name, enum stream stream,
                                       size_t lines)
{
    struct log_reader *reader = NULL;
    struct error err = {0};

    if (log_reader_open(logs, name, stream, lines, &reader, &err) < 0)
        fail_msg("%s", err.text);
    return reader;
}

FIXTURE struct log_reader *open_reader(struct logs *logs, const char *name, size_t lines)
{
    return open_stream(logs, name, STREAM_STDOUT, lines);
}

/* Reads on until it has got size bytes in all. */
FIXTURE void follow(struct log_reader *reader, struct text *got, size_t size)
{
    char block[8192];

    while (got->len < size) {
        ssize_t n = log_reader_read(reader, block, sizeof block);

        assert_true(n >= 0);
        text_append_n(got, block, (size_t)n);
        if (n == 0)
            wait_for_more(reader);
    }
}

FIXTURE void read_rest(struct log_reader *reader, struct text *got)
{
    char block[8192];
    ssize_t n;

    while ((n = log_reader_read(reader, block, sizeof block)) > 0)
        text_append_n(got, block, (size_t)n);
    assert_int_equal(n, 0);
}

/* All that is kept of a service, as it stands. */
FIXTURE void read_kept(const struct place *p, const char *name, struct text *got)
{
    struct logs *logs = start(p);
    struct log_reader *reader = open_reader(logs, name, SIZE_MAX);

    read_rest(reader, got);
    log_reader_close(reader);
    logs_stop(logs);
}

FIXTURE void read_one(const struct place *p, const char *file, struct text *got)
{
    char path[160], block[8192];
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "%s/%s", p->kept, file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    while ((n = read(fd, block, sizeof block)) > 0)
        text_append_n(got, block, (size_t)n);
    close(fd);
}

FIXTURE void write_one(const struct place *p, const char *file, const char *content)
{
    char path[160];
    int fd;

    snprintf(path, sizeof path, "%s/%s", p->kept, file);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    assert_true(fd >= 0);
    put_text(fd, content);
    close(fd);
}

FIXTURE bool exists(const struct place *p, const char *file)
{
    char path[160];

    snprintf(path, sizeof path, "%s/%s", p->kept, file);
    return access(path, F_OK) == 0;
}

FIXTURE void assert_kept(const struct place *p, const char *file, const char *content)
{
    struct text got = {0};

    text_append(&got, "");
    read_one(p, file, &got);
    assert_string_equal(got.data, content);
    text_deinit(&got);
}

/* ---- a process that writes numbered lines ---- */

#define LINE_SIZE 40

FIXTURE void make_line(char line[static LINE_SIZE + 1], int number)
{
    snprintf(line, LINE_SIZE + 1, "line %034u\n", (unsigned)number);
}

/* A failure in the child ends it by SIGABRT; it never outlives the test. */
FIXTURE pid_t fork_child(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    setenv("CMOCKA_TEST_ABORT", "1", 1);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        abort();
    return 0;
}

/* It stays until it is killed, as the one that holds the FIFO open. */
FIXTURE pid_t start_writer(const char *fifo, int count)
{
    pid_t pid = fork_child();
    char line[LINE_SIZE + 1];
    int fd;

    if (pid > 0)
        return pid;
    fd = open_output(fifo);
    for (int i = 0; i < count; i++) {
        make_line(line, i);
        put(fd, line, LINE_SIZE);
    }
    for (;;)
        pause();
}

FIXTURE void end_process(pid_t pid)
{
    int status;

    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status)); /* it has not ended by itself */
}

/* Exactly the lines from first on, each once and in order, to the number before end. */
FIXTURE void assert_lines(const struct text *got, int first, int end)
{
    char line[LINE_SIZE + 1];

    assert_int_equal(got->len, (size_t)(end - first) * LINE_SIZE);
    for (int i = first; i < end; i++) {
        make_line(line, i);
        assert_memory_equal(got->data + (size_t)(i - first) * LINE_SIZE, line, LINE_SIZE);
    }
}

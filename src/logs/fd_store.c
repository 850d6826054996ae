#include "fd_store.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

/* "f" and ten digits: the names of all are passed in one variable of the environment, which must
 * stay below 128 KiB. */
#define NAME_SIZE 12

struct passed {
    char name[NAME_SIZE];
    int fd;
};

struct fd_store {
    pthread_t thread;
    struct lock lock;
    struct cond changed;
    struct list wanted GUARDED_BY(fd_store_lock_class); /* channel.in_fd_store */
    struct passed *passed GUARDED_BY(fd_store_lock_class);
    size_t passed_count GUARDED_BY(fd_store_lock_class);
    bool started GUARDED_BY(fd_store_lock_class), ending GUARDED_BY(fd_store_lock_class);
};

static void fd_store_lock(struct fd_store *s) ACQUIRE(fd_store_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&s->lock);
}

static void fd_store_unlock(struct fd_store *s) RELEASE(fd_store_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&s->lock);
}

/* ---- names ---- */

static void name_of_channel(const struct channel *ch, char name[static NAME_SIZE])
{
    uint64_t value = hash_text(HASH_SEED, ch->log->name);

    value = hash_text(value, ch->stream == STREAM_STDERR ? "/err" : "/out");
    snprintf(name, NAME_SIZE, "f%010" PRIx64, (value ^ value >> 40) & UINT64_C(0xffffffffff));
}

/* Others may have put something there, or have sockets passed. */
static bool is_ours(const char *name, int fd)
{
    struct stat st;

    return strlen(name) == NAME_SIZE - 1 && name[0] == 'f' &&
           strspn(name + 1, "0123456789abcdef") == NAME_SIZE - 2 && fstat(fd, &st) == 0 &&
           S_ISFIFO(st.st_mode);
}

/* ---- what is passed ---- */

static void free_names(char **names)
{
    for (size_t i = 0; names && names[i]; i++)
        free(names[i]);
    free(names);
}

/* What is not ours stays open. What is passed in a wrong way is not passed: that is no reason not
 * to run. */
static int take_passed(struct fd_store *s) NO_THREAD_SAFETY_CHECK
{
    char **names = NULL;
    int count = sd_listen_fds_with_names(1, &names);

    if (count <= 0)
        return 0;
    s->passed = calloc((size_t)count, sizeof *s->passed);
    for (int i = 0; s->passed && i < count; i++) {
        struct passed *p = &s->passed[s->passed_count];

        p->fd = SD_LISTEN_FDS_START + i;
        if (!is_ours(names[i], p->fd))
            continue;
        strcpy(p->name, names[i]);
        s->passed_count++;
    }
    free_names(names);
    return s->passed ? 0 : -ENOMEM;
}

static bool same_file(int a, int b)
{
    struct stat x, y;

    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Whether the manager holds this channel's FIFO already; then we need its descriptor no more. */
static bool find_passed(struct fd_store *s, const struct channel *ch) REQUIRES(fd_store_lock_class)
{
    char name[NAME_SIZE];
    bool same;

    name_of_channel(ch, name);
    for (size_t i = 0; i < s->passed_count; i++) {
        struct passed *p = &s->passed[i];

        if (strcmp(p->name, name) != 0)
            continue;
        same = same_file(p->fd, ch->fifo_fd);
        close(p->fd);
        *p = s->passed[--s->passed_count];
        return same;
    }
    return false;
}

/* ---- talking to the manager ---- */

static void remove_name(const char *name)
{
    sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

/* Without FDPOLL=0 the manager would drop a FIFO as soon as it told of a hang-up. What it may have
 * under this name goes first: it would keep both. */
static void give(const struct channel *ch)
{
    char name[NAME_SIZE], text[64];

    name_of_channel(ch, name);
    remove_name(name);
    snprintf(text, sizeof text, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
    sd_pid_notify_with_fds(0, 0, text, &ch->fifo_fd, 1);
}

static struct channel *next_wanted(struct fd_store *s) REQUIRES(fd_store_lock_class)
{
    struct channel *ch;

    if (list_empty(&s->wanted))
        return NULL;
    ch = list_entry(s->wanted.next, struct channel, in_fd_store);
    list_remove(&ch->in_fd_store);
    return ch;
}

/* NULL: it ends. What is not given by then the next daemon gives: the manager takes a millisecond
 * for each when it holds thousands. */
static struct channel *wait_for_wanted(struct fd_store *s)
{
    struct channel *ch = NULL;

    fd_store_lock(s);
    while (!s->ending && !(ch = next_wanted(s)))
        cond_wait(&s->changed, &s->lock);
    fd_store_unlock(s);
    return ch;
}

static void *run(void *argument)
{
    struct fd_store *s = argument;
    struct channel *ch;

    while ((ch = wait_for_wanted(s)))
        give(ch);
    return NULL;
}

/* ---- for the logs ---- */

int fd_store_open(struct fd_store **ret_store) NO_THREAD_SAFETY_CHECK
{
    struct fd_store *s;
    int r;

    *ret_store = NULL;
    if (!getenv("NOTIFY_SOCKET"))
        return 0;
    s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    lock_init(&s->lock, LOCK_FD_STORE);
    cond_init(&s->changed);
    list_init(&s->wanted);
    r = take_passed(s);
    if (r < 0) {
        fd_store_close(s);
        return r;
    }
    *ret_store = s;
    return 0;
}

void fd_store_keep(struct fd_store *s, struct channel *ch)
{
    if (!s)
        return;
    fd_store_lock(s);
    if (!find_passed(s, ch)) {
        list_append(&s->wanted, &ch->in_fd_store);
        /* Without a thread it is not kept, and that is all. */
        if (!s->started)
            s->started = thread_start(&s->thread, "store", run, s) == 0;
        cond_signal(&s->changed);
    }
    fd_store_unlock(s);
}

static bool take_last(struct fd_store *s, struct passed *ret_passed)
{
    bool any;

    fd_store_lock(s);
    any = s->passed_count > 0;
    if (any)
        *ret_passed = s->passed[--s->passed_count];
    fd_store_unlock(s);
    return any;
}

void fd_store_forget(struct fd_store *s)
{
    struct passed passed;

    while (s && take_last(s, &passed)) {
        remove_name(passed.name);
        close(passed.fd);
    }
}

void fd_store_close(struct fd_store *s) NO_THREAD_SAFETY_CHECK
{
    if (!s)
        return;
    fd_store_lock(s);
    s->ending = true;
    cond_signal(&s->changed);
    fd_store_unlock(s);
    if (s->started)
        pthread_join(s->thread, NULL);
    for (size_t i = 0; i < s->passed_count; i++)
        close(s->passed[i].fd);
    free(s->passed);
    cond_deinit(&s->changed);
    lock_deinit(&s->lock);
    free(s);
}

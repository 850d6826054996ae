#include "tree.h"

#include "base/cleanup.h"
#include "base/sys.h"
#include "identity.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define ENVIRON_LIMIT (1u << 20)
#define PASSES_MAX    64

struct member {
    struct process_stat stat;
    bool inside;
};

/* One look at /proc, in order of pid. */
struct scan {
    struct member *members;
    size_t count, capacity;
    char *buffer; /* for environments */
};

static void scan_deinit(struct scan *scan)
{
    free(scan->members);
    free(scan->buffer);
}

static bool alive(const struct process_stat *st)
{
    return st->state != 'Z' && st->state != 'X';
}

static int scan_add(struct scan *scan, pid_t pid)
{
    struct member next = {0};

    if (process_stat(pid, &next.stat) < 0)
        return 0; /* gone since the folder was read */
    if (scan->count == scan->capacity) {
        size_t capacity = scan->capacity ? 2 * scan->capacity : 256;
        struct member *grown = realloc(scan->members, capacity * sizeof *grown);

        if (!grown)
            return -ENOMEM;
        scan->members = grown;
        scan->capacity = capacity;
    }
    scan->members[scan->count++] = next;
    return 0;
}

static int by_pid(const void *a, const void *b)
{
    const struct member *x = a, *y = b;

    return (x->stat.pid > y->stat.pid) - (x->stat.pid < y->stat.pid);
}

static struct member *find(const struct scan *scan, pid_t pid)
{
    struct member key = {.stat.pid = pid};

    if (scan->count == 0)
        return NULL;
    return bsearch(&key, scan->members, scan->count, sizeof key, by_pid);
}

static int read_processes(struct scan *scan)
{
    DIR *dir = opendir("/proc");
    const struct dirent *entry;
    int r = 0;

    if (!dir)
        return -errno;
    while (r == 0 && (entry = readdir(dir)))
        if (isdigit((unsigned char)entry->d_name[0]))
            r = scan_add(scan, (pid_t)atoi(entry->d_name));
    closedir(dir);
    if (scan->count > 0)
        qsort(scan->members, scan->count, sizeof *scan->members, by_pid);
    return r;
}

static bool carries(struct scan *scan, pid_t pid, const char *marker)
{
    size_t size = strlen(marker) + 1;
    char path[32];
    ssize_t len;

    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    len = small_read(path, scan->buffer, ENVIRON_LIMIT);
    for (const char *at = scan->buffer, *end = at + (len > 0 ? len : 0); at < end;
         at += strlen(at) + 1)
        if ((size_t)(end - at) + 1 >= size && memcmp(at, marker, size) == 0)
            return true;
    return false;
}

/* A child of a member, or of the root, is a member; again until none is added. */
static void add_descendants(struct scan *scan, const struct member *root)
{
    bool added;

    do {
        added = false;
        for (size_t i = 0; i < scan->count; i++) {
            struct member *m = &scan->members[i];
            const struct member *parent = m->inside ? NULL : find(scan, m->stat.parent);

            if (!parent || m == root || (parent != root && !parent->inside))
                continue;
            m->inside = added = true;
        }
    } while (added);
}

static int look(const struct tree *tree, struct scan *scan, struct error *err)
{
    struct member *root;
    int r;

    scan->count = 0;
    if (!scan->buffer && !(scan->buffer = malloc(ENVIRON_LIMIT)))
        return error_set(err, -ENOMEM, "look for processes: %m");
    r = read_processes(scan);
    if (r < 0)
        return error_set(err, r, "read /proc: %m");
    root = tree->root ? find(scan, tree->root) : NULL;
    if (root && root->stat.ticks != tree->root_ticks)
        root = NULL;
    add_descendants(scan, root);
    for (size_t i = 0; i < scan->count; i++) {
        struct member *m = &scan->members[i];

        if (m != root && !m->inside && alive(&m->stat))
            m->inside = carries(scan, m->stat.pid, tree->marker);
    }
    add_descendants(scan, root);
    return 0;
}

static void send_to(const struct process_stat *st, int signal)
{
    CLEANUP(closep) int fd = process_open(st->pid, st->ticks);

    if (fd >= 0)
        sys_pidfd_send_signal(fd, signal);
}

/* Sends to every member that is alive and was not among the earlier ones: how many. */
static size_t signal_new(const struct scan *scan, const struct scan *earlier, int signal)
{
    size_t sent = 0;

    for (size_t i = 0; i < scan->count; i++) {
        const struct member *m = &scan->members[i];
        const struct member *old = find(earlier, m->stat.pid);

        if (!m->inside || !alive(&m->stat) ||
            (old && old->inside && old->stat.ticks == m->stat.ticks))
            continue;
        send_to(&m->stat, signal);
        sent++;
    }
    return sent;
}

int tree_count(const struct tree *tree, struct error *err)
{
    CLEANUP(scan_deinit) struct scan scan = {0};
    int count = 0, r = look(tree, &scan, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < scan.count; i++)
        count += scan.members[i].inside && alive(&scan.members[i].stat);
    return count;
}

int tree_signal(const struct tree *tree, int signal, struct error *err)
{
    CLEANUP(scan_deinit) struct scan scan = {0}, none = {0};
    int r = look(tree, &scan, err);

    if (r < 0)
        return r;
    signal_new(&scan, &none, signal);
    return 0;
}

/* Looks again and again, and sends to what is new, until nothing is. */
static int sweep(const struct tree *tree, int signal, size_t *ret_sent, struct error *err)
{
    CLEANUP(scan_deinit) struct scan scan = {0};
    CLEANUP(scan_deinit) struct scan earlier = {0};
    size_t sent = 1;

    *ret_sent = 0;
    for (int pass = 0; pass < PASSES_MAX && sent > 0; pass++) {
        struct scan swap = earlier;
        int r = look(tree, &scan, err);

        if (r < 0)
            return r;
        sent = signal_new(&scan, &earlier, signal);
        *ret_sent += sent;
        earlier = scan;
        scan = swap;
    }
    return 0;
}

int tree_kill(const struct tree *tree, struct error *err)
{
    size_t sent;
    int r = sweep(tree, SIGSTOP, &sent, err);

    if (r < 0 || sent == 0)
        return r;
    return sweep(tree, SIGKILL, &sent, err);
}

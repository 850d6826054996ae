#include "tree.h"

#include "base/cleanup.h"
#include "base/sys.h"
#include "scan.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define ENVIRON_LIMIT (1u << 20)
#define PASSES_MAX    64

static bool alive(const struct process_stat *st)
{
    return st->state != 'Z' && st->state != 'X';
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

static int look(const struct tree *tree, struct scan *scan, struct error *err)
{
    struct member *root;
    int r;

    if (!scan->buffer && !(scan->buffer = malloc(ENVIRON_LIMIT)))
        return error_set(err, -ENOMEM, "look for processes: %m");
    r = scan_read(scan);
    if (r < 0)
        return error_set(err, r, "read /proc: %m");
    root = tree->root ? scan_find(scan, tree->root) : NULL;
    if (root && root->stat.ticks != tree->root_ticks)
        root = NULL;
    scan_add_descendants(scan, root);
    for (size_t i = 0; i < scan->count; i++) {
        struct member *m = &scan->members[i];

        if (m != root && !m->inside && alive(&m->stat))
            m->inside = carries(scan, m->stat.pid, tree->marker);
    }
    scan_add_descendants(scan, root);
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
        const struct member *old = scan_find(earlier, m->stat.pid);

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

#include "scan.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

void scan_deinit(struct scan *scan)
{
    free(scan->members);
    free(scan->buffer);
}

static int add(struct scan *scan, pid_t pid)
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

struct member *scan_find(const struct scan *scan, pid_t pid)
{
    struct member key = {.stat.pid = pid};

    if (scan->count == 0)
        return NULL;
    return bsearch(&key, scan->members, scan->count, sizeof key, by_pid);
}

int scan_read(struct scan *scan)
{
    DIR *dir = opendir("/proc");
    const struct dirent *entry;
    int r = 0;

    if (!dir)
        return -errno;
    scan->count = 0;
    while (r == 0 && (entry = readdir(dir)))
        if (isdigit((unsigned char)entry->d_name[0]))
            r = add(scan, (pid_t)atoi(entry->d_name));
    closedir(dir);
    if (scan->count > 0)
        qsort(scan->members, scan->count, sizeof *scan->members, by_pid);
    return r;
}

void scan_add_descendants(struct scan *scan, const struct member *root)
{
    bool added;

    do {
        added = false;
        for (size_t i = 0; i < scan->count; i++) {
            struct member *m = &scan->members[i];
            const struct member *parent = m->inside ? NULL : scan_find(scan, m->stat.parent);

            if (!parent || m == root || (parent != root && !parent->inside))
                continue;
            m->inside = added = true;
        }
    } while (added);
}

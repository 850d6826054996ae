/* usage - what the processes of an instance use, as the kernel counts it: by the group that holds
 * them, or by the tree below the main process.
 * Threads: any. Ownership: nothing is kept. */
#include "backend/process.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cgroup.h"
#include "scan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct usage unknown = {-1, -1, -1};

/* ---- one process ---- */

/* From /proc/<pid>/stat: its threads, and the time of it and of its children that have ended. */
static bool read_process(pid_t pid, struct usage *ret_usage)
{
    unsigned long user, system;
    long children_user, children_system, threads, pages;
    char path[40], line[1024];
    const char *rest;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (small_read(path, line, sizeof line) <= 0 || !(rest = strrchr(line, ')')) ||
        sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld %*d %*d %ld",
               &user, &system, &children_user, &children_system, &threads) != 5)
        return false;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    if (small_read(path, line, sizeof line) <= 0 || sscanf(line, "%*d %ld", &pages) != 1)
        return false;
    *ret_usage = (struct usage){
        .memory_bytes = (int64_t)pages * sysconf(_SC_PAGESIZE),
        .cpu_us = ((int64_t)(user + system) + children_user + children_system) * USEC_PER_SEC /
                  sysconf(_SC_CLK_TCK),
        .tasks = threads,
    };
    return true;
}

static void add(struct usage *sum, const struct usage *one)
{
    sum->memory_bytes += one->memory_bytes;
    sum->cpu_us += one->cpu_us;
    sum->tasks += one->tasks;
}

/* ---- a group ---- */

static void add_process(pid_t pid, void *context)
{
    struct usage one;

    if (read_process(pid, &one)) /* else it has gone since */
        add(context, &one);
}

/* The number after key, or the first one if that is NULL; -1: it is not there. */
static int64_t read_number(const char *group, const char *file, const char *key)
{
    CLEANUP(freep) char *path = NULL;
    char text[2048];
    const char *at = text;
    int64_t value;

    if (asprintf(&path, "%s/%s", group, file) < 0) {
        path = NULL;
        return -1;
    }
    if (small_read(path, text, sizeof text) <= 0 || (key && !(at = strstr(text, key))))
        return -1;
    return sscanf(at + (key ? strlen(key) : 0), "%" SCNd64, &value) == 1 ? value : -1;
}

/* The kernel's own counts where the controllers are; else what its processes have now. The time is
 * always the kernel's: it knows of those that have ended. */
static void read_group(const char *group, struct usage *ret_usage)
{
    struct usage sum = {0};
    struct usage counted = {
        .memory_bytes = read_number(group, "memory.current", NULL),
        .cpu_us = read_number(group, "cpu.stat", "usage_usec "),
        .tasks = read_number(group, "pids.current", NULL),
    };

    if (access(group, F_OK) < 0)
        return; /* it has gone, and its files with it */
    if (counted.memory_bytes < 0 || counted.tasks < 0) {
        if (cgroup_for_each_process(group, add_process, &sum) < 0)
            return;
        if (counted.memory_bytes < 0)
            counted.memory_bytes = sum.memory_bytes;
        if (counted.tasks < 0)
            counted.tasks = sum.tasks;
    }
    *ret_usage = counted;
}

/* ---- a tree ---- */

/* Where no group holds it, orphans of it are children of the executor above it, whose name says
 * so (exec/settings.h). */
static const struct member *root_of(const struct scan *scan, const struct member *main_process)
{
    char path[40], name[32];
    int pid;

    snprintf(path, sizeof path, "/proc/%d/comm", (int)main_process->stat.parent);
    if (small_read(path, name, sizeof name) > 0 && sscanf(name, "main %d", &pid) == 1 &&
        pid == main_process->stat.pid)
        return scan_find(scan, main_process->stat.parent);
    return NULL;
}

static void read_tree(pid_t pid, struct usage *ret_usage)
{
    CLEANUP(scan_deinit) struct scan scan = {0};
    struct usage sum = {0}, one;
    struct member *main_process;

    if (scan_read(&scan) < 0 || !(main_process = scan_find(&scan, pid)))
        return;
    main_process->inside = true;
    scan_add_descendants(&scan, root_of(&scan, main_process));
    for (size_t i = 0; i < scan.count; i++)
        if (scan.members[i].inside && read_process(scan.members[i].stat.pid, &one))
            add(&sum, &one);
    *ret_usage = sum;
}

void usage_read(const char *place, pid_t pid, struct usage *ret_usage)
{
    *ret_usage = unknown;
    if (place)
        read_group(place, ret_usage);
    else if (pid > 0)
        read_tree(pid, ret_usage);
}

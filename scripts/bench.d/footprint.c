/* footprint - what supervisors take while nothing happens: the memory of each and of its helpers
 * (its descendants, without the services), and how often they run in so many seconds.
 *
 * Prints a line for each: PSS in KB, processes, context switches of all their threads, processor
 * time in us. Threads: one. */
#include "measure.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct seen {
    pid_t pid, parent;
    bool service;
};

struct machine {
    struct seen *seen;
    size_t count, room;
};

struct taken {
    long processes;
    long long pss_kb, switches;
    int64_t cpu;
};

/* The number behind a word at the begin of a line, all lines together; false: there is no such
 * file, because the process has ended. */
static bool add_field(const char *path, const char *field, long long *sum)
{
    FILE *f = fopen(path, "re");
    char line[512];

    if (!f)
        return false;
    while (fgets(line, sizeof line, f))
        if (strncmp(line, field, strlen(field)) == 0)
            *sum += atoll(line + strlen(field));
    fclose(f);
    return true;
}

static void add_switches(pid_t pid, long long *sum)
{
    char path[320];
    struct dirent *entry;
    DIR *tasks;

    snprintf(path, sizeof path, "/proc/%d/task", pid);
    tasks = opendir(path);
    if (!tasks)
        return;
    while ((entry = readdir(tasks))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/status", pid, entry->d_name);
        add_field(path, "voluntary_ctxt_switches:", sum);
        add_field(path, "nonvoluntary_ctxt_switches:", sum);
    }
    closedir(tasks);
}

static bool runs(pid_t pid, const char *program)
{
    char path[64], target[PATH_MAX];
    ssize_t n;

    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    n = readlink(path, target, sizeof target - 1);
    if (n < 0)
        return false;
    target[n] = 0;
    return strcmp(target, program) == 0;
}

static void see(struct machine *machine, pid_t pid, const char *service)
{
    long long parent = 0;
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    if (!add_field(path, "PPid:", &parent))
        return;
    if (machine->count == machine->room) {
        machine->room = machine->room ? machine->room * 2 : 1024;
        machine->seen = reallocarray(machine->seen, machine->room, sizeof *machine->seen);
        if (!machine->seen)
            die("out of memory");
    }
    machine->seen[machine->count++] =
        (struct seen){.pid = pid, .parent = (pid_t)parent, .service = runs(pid, service)};
}

static void look_round(struct machine *machine, const char *service)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;

    if (!proc)
        die("open /proc: %m");
    while ((entry = readdir(proc)))
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
            see(machine, atoi(entry->d_name), service);
    closedir(proc);
}

static void take(const struct machine *machine, pid_t pid, struct taken *taken)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    if (!add_field(path, "Pss:", &taken->pss_kb))
        return;
    taken->processes++;
    taken->cpu += cpu_ns(pid);
    add_switches(pid, &taken->switches);
    for (size_t i = 0; i < machine->count; i++)
        if (machine->seen[i].parent == pid && !machine->seen[i].service)
            take(machine, machine->seen[i].pid, taken);
}

static void let_be(int seconds)
{
    struct timespec left = {.tv_sec = seconds};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

int main(int argc, char **argv)
{
    struct machine machine = {0};
    struct taken *before, *after;
    int count = argc - 3;

    if (argc < 4)
        die("usage: footprint SECONDS SERVICE-PROGRAM PID...");
    before = calloc((size_t)count, sizeof *before);
    after = calloc((size_t)count, sizeof *after);
    if (!before || !after)
        die("out of memory");
    look_round(&machine, argv[2]);
    for (int i = 0; i < count; i++)
        take(&machine, number_of(argv[i + 3]), &before[i]);
    let_be(number_of(argv[1]));
    for (int i = 0; i < count; i++)
        take(&machine, number_of(argv[i + 3]), &after[i]);
    for (int i = 0; i < count; i++)
        printf("pss %lld processes %ld switches %lld cpu %.0f\n", after[i].pss_kb,
               after[i].processes, after[i].switches - before[i].switches,
               (double)(after[i].cpu - before[i].cpu) / NS_PER_US);
    free(before);
    free(after);
    free(machine.seen);
    return 0;
}

/* fake-report - a service that writes down what it was given, then waits to be stopped.
 *
 * DIR/NAME.report gets a line "KEY VALUE" each: ids, umask, directory, limits, descriptors,
 * signals, session; "env KEY=VALUE" for the environment. It appears whole, by rename.
 *
 * Threads: one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void report_ids(FILE *f)
{
    gid_t groups[128];
    int count = getgroups(128, groups);

    fprintf(f, "pid %d\nuid %d %d\ngid %d %d\ngroups", getpid(), (int)getuid(), (int)geteuid(),
            (int)getgid(), (int)getegid());
    for (int i = 0; i < count; i++)
        fprintf(f, " %d", (int)groups[i]);
    fprintf(f, "\nsession %d\npgid %d\n", (int)getsid(0), (int)getpgrp());
}

static void report_limit(FILE *f, const char *name, int which)
{
    struct rlimit limit;

    if (getrlimit((__rlimit_resource_t)which, &limit) < 0)
        return;
    fprintf(f, "%s %lld %lld\n", name, (long long)limit.rlim_cur, (long long)limit.rlim_max);
}

static void report_file(FILE *f, const char *name, const char *path)
{
    char line[256];
    FILE *from = fopen(path, "re");

    if (from && fgets(line, sizeof line, from))
        fprintf(f, "%s %s", name, line);
    if (from)
        fclose(from);
}

/* Everything open, but the descriptor that looks. */
static void report_descriptors(FILE *f)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;

    if (!dir)
        return;
    while ((entry = readdir(dir))) {
        char path[PATH_MAX], target[PATH_MAX];
        int fd = atoi(entry->d_name);
        ssize_t length;

        if (entry->d_name[0] == '.' || fd == dirfd(dir) || fd == fileno(f))
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        length = readlink(path, target, sizeof target - 1);
        target[length < 0 ? 0 : length] = '\0';
        fprintf(f, "fd %d %s\n", fd, target);
    }
    closedir(dir);
}

/* Blocked and ignored signals as the kernel shows them. */
static void report_signals(FILE *f)
{
    char line[256];
    FILE *from = fopen("/proc/self/status", "re");

    while (from && fgets(line, sizeof line, from))
        if (strncmp(line, "SigBlk:", 7) == 0 || strncmp(line, "SigIgn:", 7) == 0)
            fprintf(f, "%.6s %s", line, line + 8);
    if (from)
        fclose(from);
}

static void report(FILE *f)
{
    char directory[PATH_MAX];
    mode_t mask = umask(0);

    umask(mask);
    report_ids(f);
    fprintf(f, "umask %04o\ndirectory %s\n", (unsigned)mask,
            getcwd(directory, sizeof directory) ? directory : "?");
    report_limit(f, "nofile", RLIMIT_NOFILE);
    report_limit(f, "core", RLIMIT_CORE);
    report_file(f, "oom_score_adj", "/proc/self/oom_score_adj");
    report_signals(f);
    report_descriptors(f);
    for (char **variable = environ; *variable; variable++)
        fprintf(f, "env %s\n", *variable);
}

int main(int argc, char **argv)
{
    char path[PATH_MAX], temporary[PATH_MAX];
    FILE *f;

    if (argc < 3) {
        fprintf(stderr, "usage: fake-report DIR NAME [ARGUMENT...]\n");
        return 64;
    }
    snprintf(path, sizeof path, "%s/%s.report", argv[1], argv[2]);
    snprintf(temporary, sizeof temporary, "%s/%s.tmp", argv[1], argv[2]);
    f = fopen(temporary, "we");
    if (!f) {
        fprintf(stderr, "fake-report: %s: %s\n", temporary, strerror(errno));
        return 70;
    }
    report(f);
    for (int i = 3; i < argc; i++)
        fprintf(f, "arg %s\n", argv[i]);
    if (fclose(f) != 0 || rename(temporary, path) < 0)
        return 70;
    for (;;)
        pause();
}

/* run - the last steps: the set-up, the word that it happens now, and execve. */
#include "executor.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void report(int socket, const struct exec_report *message)
{
    /* Nobody listens when the daemon has died; the service goes on all the same. */
    (void)!send(socket, message, sizeof *message, MSG_NOSIGNAL);
}

void report_failure(int socket, const struct failure *f)
{
    report(socket,
           &(struct exec_report){
               .kind = REPORT_FAILED, .step = f->step, .error = f->error, .value = f->line});
}

int failure_status(const struct failure *f)
{
    return f->step == STEP_EXEC && f->error == ENOENT ? 127 : 126;
}

static const char *search_path(char *const *environment)
{
    for (; *environment; environment++)
        if (strncmp(*environment, "PATH=", 5) == 0)
            return *environment + 5;
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* 0: there is no such program in that folder; else why it can't be run. */
static int try_folder(const struct settings *s, const char *folder, int len)
{
    char path[PATH_MAX];
    const char *separator = len ? "/" : "";

    if (snprintf(path, sizeof path, "%.*s%s%s", len, folder, separator, s->arguments[0]) >=
        (int)sizeof path)
        return ENAMETOOLONG;
    execve(path, s->arguments, s->environment);
    if (errno == EACCES && access(path, F_OK) < 0)
        return 0; /* it is the folder that may not be entered */
    return errno == ENOENT || errno == ENOTDIR ? 0 : errno;
}

/* As execvp() does it, but that it never takes a file without #! for a shell script. */
static int search(const struct settings *s)
{
    int error = ENOENT;

    for (const char *folder = search_path(s->environment);; folder++) {
        const char *end = strchrnul(folder, ':');
        int r = try_folder(s, folder, (int)(end - folder));

        if (r == EACCES)
            error = EACCES; /* told when no other can be run */
        else if (r != 0)
            return r;
        if (!*end)
            return error;
        folder = end;
    }
}

void run_program(const struct settings *s, struct failure *f)
{
    *f = (struct failure){.step = STEP_EXEC};
    if (!strchr(s->arguments[0], '/')) {
        f->error = search(s);
        return;
    }
    execve(s->arguments[0], s->arguments, s->environment);
    f->error = errno;
}

void become_service(struct settings *s, int socket)
{
    struct failure f;

    if (environment_merge(s, &f) && setup_all(s, &f)) {
        report(socket, &(struct exec_report){.kind = REPORT_EXECUTING, .value = getpid()});
        run_program(s, &f);
    }
    report_failure(socket, &f);
    _exit(failure_status(&f));
}

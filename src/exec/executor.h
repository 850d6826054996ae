/* executor - the parts of orderly-exec, the program between the daemon and every service.
 * Threads: one. Ownership: what is allocated lives until exec or exit; nothing is freed. */
#pragma once

#include "exec/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The settings as they lie in the daemon's memfd, found and counted. */
struct settings {
    const struct exec_settings *header;
    const char *directory, *output, *error_output, *ready, *environment_file, *cgroup;
    char **arguments;   /* NULL-terminated */
    char **environment; /* NULL-terminated */
    const gid_t *groups;
};

/* Believes nothing: 0, or -errno when anything about it is not as settings.h says. */
int settings_parse(const void *data, size_t size, struct settings *ret_settings);
int settings_map(int fd, struct settings *ret_settings);

struct failure {
    enum exec_step step;
    int error; /* errno */
    int line;  /* of the environment file */
};

/* False: not done, and *f says what failed. */
bool setup_cgroup(const struct settings *settings, struct failure *f);
/* Everything else that a service is to find, but its signals and its environment. */
bool setup_all(const struct settings *settings, struct failure *f);
void setup_signals(void); /* all default, none blocked */
bool setup_null_stdio(void);

/* Merges the environment file in; what it gives replaces settings->environment. */
bool environment_merge(struct settings *settings, struct failure *f);

/* Comes back only with a failure. Names without a slash are looked for in the service's PATH. */
void run_program(const struct settings *settings, struct failure *f);

void report(int socket, const struct exec_report *message);
void report_failure(int socket, const struct failure *f);
/* The exit status that goes with a failure, as shells have it. */
int failure_status(const struct failure *f);
/* Sets up and executes; tells socket; never returns. */
_Noreturn void become_service(struct settings *settings, int socket);
/* Forks the service, stays until nothing below is left, then ends as the main process did. */
_Noreturn void stay(struct settings *settings, int gate);
/* Forks the keeper, tells its pid; the exit status. */
int keeper(int gate);

bool wait_at_gate(int gate); /* false: the daemon has died */
void close_all_but(int fd);

/* A descriptor that is out of the way of those that a service is to find, and CLOEXEC; -1. */
int move_high(int fd);

/* cgroup - one group of the version 2 hierarchy, by its path.
 * Threads: any. Ownership: nothing is kept. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The folder for this runtime_dir's groups where groups may be made and joined, or NULL: not here,
 * *ret_reason says why. It is made; the caller frees the path. */
char *cgroup_find_parent(const char *runtime_dir, const char **ret_reason);

/* A descriptor of the new group. */
int cgroup_make(const char *path, struct error *err);
/* Whether any process is in it or below it; a group that is not there is empty. */
int cgroup_populated(const char *path, bool *ret_populated, struct error *err);
int cgroup_kill(const char *path, struct error *err);
/* To each process in it and below it. */
int cgroup_signal(const char *path, int signal, struct error *err);
/* Each process in it and below it; a group that is not there has none. 0 or -errno. */
typedef void cgroup_process_visitor(pid_t pid, void *context);
int cgroup_for_each_process(const char *path, cgroup_process_visitor *visit, void *context);
/* With the groups below, made by the service; -EBUSY: it is not quite empty yet. */
int cgroup_remove(const char *path);
/* Removes the empty groups in parent that no record names any more. What is in one of them was
 * about to be started when its daemon ended, and ends for it: that is waited for, two seconds at
 * most. */
void cgroup_clean(const char *parent, bool (*named)(void *context, const char *name),
                  void *context);

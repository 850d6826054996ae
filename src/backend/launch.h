/* launch - writes what orderly-exec is to become, and puts its failures into words.
 * Threads: any. Ownership: as said. */
#pragma once

#include "base/error.h"
#include "exec/settings.h"
#include "model/service_spec.h"

#include <sys/resource.h>

struct launch {
    const struct service_spec *spec;
    const char *stdio, *ready, *cgroup; /* "" when not used */
    bool stay;
    const struct string_list *environment;
    size_t own_count; /* of it, the last ones */
    struct rlimit nofile;
};

/* A sealed memfd, the caller's. */
int launch_settings(const struct launch *launch, int *ret_fd, struct error *err);

/* "cannot execute /usr/bin/foo: No such file or directory" */
void launch_failure_text(const struct service_spec *spec, const struct exec_report *report,
                         char *text, size_t size);

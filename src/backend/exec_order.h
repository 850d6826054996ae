/* exec_order - writes what orderly-exec is to become, and puts its failures into words.
 * Threads: any. Ownership: as said. */
#pragma once

#include "base/error.h"
#include "exec/settings.h"
#include "model/service_spec.h"

#include <sys/resource.h>

struct exec_order {
    const struct service_spec *spec;
    const struct string_list *argv;                     /* the spec's, or another of its commands */
    const char *output, *error_output, *ready, *cgroup; /* NULL when not used */
    bool stay;
    const struct string_list *environment;
    size_t own_count; /* of it, the last ones */
    struct rlimit nofile;
};

/* A sealed memfd, the caller's. */
int exec_order_write(const struct exec_order *order, int *ret_fd, struct error *err);

/* "cannot execute /usr/bin/foo: No such file or directory" */
void exec_failure_text(const struct service_spec *spec, const struct string_list *argv,
                       const struct exec_report *report, char *text, size_t size);

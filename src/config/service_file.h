/* service_file - one file of services.d on its way into a spec.
 * Threads: none of its own. Ownership: service_file_free() frees all; spec may be taken. */
#pragma once

#include "config/config.h"
#include "report.h"

enum dependency_kind { DEPENDENCY_REQUIRES, DEPENDENCY_WANTS, DEPENDENCY_AFTER, DEPENDENCY_KINDS };

struct service_file {
    char *name, *path;
    struct report report;
    struct service_spec *spec;                   /* NULL: it could not even be read */
    struct place dependencies[DEPENDENCY_KINDS]; /* where the lists stand */
    struct place stderr_place, unit_place;
};

/* Reads services_dir/NAME.conf; what is wrong is in its report. NULL without memory. */
struct service_file *service_file_load(const struct config *config, const char *name,
                                       struct problems *problems);
void service_file_free(struct service_file *file); /* NULL is fine */

/* "requires", and so on */
const char *dependency_key(enum dependency_kind kind);
const struct string_list *dependency_list(const struct service_spec *spec,
                                          enum dependency_kind kind);

/* values - the types of the field table.
 * Threads: any; everything is constant. */
#pragma once

#include "field.h"

extern const struct value_type type_text, type_word, type_truth, type_number, type_duration,
    type_size, type_path, type_signal, type_umask, type_names, type_command, type_environment,
    type_environment_file, type_user, type_group, type_groups, type_api_group, type_listen,
    type_nofile, type_core, type_oom_score, type_reload_command, type_reload_signal, type_cpu,
    type_host_names, type_unit;

bool same_string(const void *a, const void *b);  /* char *, or NULL */
bool same_number(const void *a, const void *b);  /* int64_t */
bool same_word(const void *a, const void *b);    /* an enum */
bool same_truth(const void *a, const void *b);   /* bool */
bool same_strings(const void *a, const void *b); /* struct string_list */

extern const struct choice yes_or_no[];

/* At most so many names, or variables, in one list. */
#define LIST_MOST 256

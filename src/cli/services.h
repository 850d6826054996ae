/* services - the rows of GET /status, found by name, glob or tag.
 * Threads: one. Ownership: rows are borrowed from the answer. */
#pragma once

#include "cli.h"

#include <jansson.h>

json_t *service_find(const json_t *services, const char *name);
/* A glob or a @tag, which may stand for several. */
bool service_is_pattern(const char *word);
bool service_matches(const json_t *service, const char *word);

/* The first error of the file of a service that is refused: a member of config_errors, or NULL. */
json_t *service_config_error(const json_t *status, const char *name);
/* "there is no service "backendd"; did you mean "backend"?" on stderr. */
void complain_of_unknown_service(const json_t *services, const char *name);
/* "FILE:LINE: KEY: MESSAGE" on stderr. */
void complain_of_config_error(const json_t *error);

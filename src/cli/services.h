/* services - the rows of GET /status, found by name, glob or tag.
 * Threads: one. Ownership: rows are borrowed from the answer. */
#pragma once

#include "cli.h"

#include <jansson.h>
#include <stdbool.h>

/* Whether its state is running, ready or not. */
bool service_is_running(const json_t *service);
json_t *service_find(const json_t *services, const char *name);
/* A glob or a @tag, which may stand for several. */
bool service_is_pattern(const char *word);
bool service_matches(const json_t *service, const char *word);

/* The rows that the words ask for, each once, in that order; a pattern's, and all of them, as the
 * daemon lists them. What cannot be found is said, the rest is still chosen. STATUS_DONE,
 * STATUS_UNKNOWN, or STATUS_REFUSED when the file of one is refused. */
enum status services_choose(const json_t *body, const char *const *words, size_t count, bool all,
                            json_t *chosen);
/* The same, with the status fetched: *ret_answer is what the rows are borrowed from, *ret_chosen
 * the caller's, NULL when there is none. */
enum status services_ask(struct cli *cli, const char *const *words, size_t count,
                         struct answer *ret_answer, json_t **ret_chosen);

/* The first error of the file of a service that is refused: a member of config_errors, or NULL. */
json_t *service_config_error(const json_t *status, const char *name);
/* "there is no service "backendd"; did you mean "backend"?" on stderr. */
void complain_of_unknown_service(const json_t *services, const char *name);
/* "FILE:LINE: KEY: MESSAGE" on stderr. */
void complain_of_config_error(const json_t *error);

/* revision - the status' revision as text, "b3f1-8812" (the daemon's epoch in hex, the number),
 * and the entity tags made of it.
 * Threads: any. */
#pragma once

#include "core/supervisor.h"

#include <stdbool.h>

#define REVISION_TEXT_SIZE 40

void revision_format(struct revision revision, char text[static REVISION_TEXT_SIZE]);
/* False: not a revision, whoever's. */
bool revision_parse(const char *text, struct revision *ret_revision);

/* Whether a header If-None-Match (NULL: none) names the entity tag "revision": `*`, or a list in
 * which weak tags count too. */
bool revision_matches(const char *if_none_match, struct revision revision);

/* encode - the larger answers as JSON.
 * Threads: any. */
#pragma once

#include "base/text.h"
#include "core/supervisor.h"

/* "[…]"; frees the operations and their array. */
void encode_operations(struct operation *operations, size_t count, struct text *t);
/* {"added":[…],"removed":[…],"changed":[…],"unchanged":[…],"errors":[…]}; token_error is one more
 * error (NULL: none) of token_file. */
void encode_reload(const struct reload_result *result, const char *token_file, int token_line,
                   const char *token_error, struct text *t);

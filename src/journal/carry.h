/* carry - what a database holds, written into another one: its file was removed or replaced while
 * it was open, but can still be read.
 * Threads: whoever leads. */
#pragma once

#include "base/error.h"

#include <sqlite3.h>
#include <stdbool.h>

/* All rows that can be read, replacing those of the same keys, in a transaction that the caller has
 * begun on to. -errno when they cannot be written; *ret_lost is set when some could not be read. */
int carry_over(sqlite3 *from, sqlite3 *to, bool *ret_lost, struct error *err);

/* complete - what may stand where the cursor is, for the shells' completion.
 * Threads: one. */
#pragma once

#include "cli.h"

/* As the first argument, before the words of the line up to and with the one under the cursor. */
#define COMPLETE_WORD "__complete"

/* A line "WORD<tab>WHAT IT IS" for each candidate, or ":files" where the name of a file belongs;
 * nothing, and not a word on stderr, where nothing is known: without a daemon no service is.
 * argv[0] is COMPLETE_WORD. */
enum status complete(struct cli *cli, int argc, char *argv[]);

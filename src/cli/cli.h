/* cli - what every subcommand of orderlyctl works with: the words it was given, the way to the
 * daemon, the screen.
 *
 * Threads: one. Ownership: main() owns the struct cli and everything in it. */
#pragma once

#include "client.h"
#include "find.h"
#include "options.h"
#include "screen.h"

#include "base/text.h"

#include <stdbool.h>

/* What orderlyctl exits with; orderlyctl(1) lists them. */
enum status {
    STATUS_DONE,
    STATUS_FAILED,
    STATUS_USAGE,
    STATUS_NOT_RUNNING,
    STATUS_UNKNOWN,
    STATUS_UNREACHABLE,
    STATUS_TIMED_OUT,
    STATUS_DENIED,
    STATUS_REFUSED,
    STATUS_INTERRUPTED = 130,
};

struct cli {
    struct options options;
    struct screen screen;
    struct target target;
    struct client *client; /* NULL until the daemon is first needed */
};

/* Of several the worst decides: what ended the asking (Ctrl-C, no daemon, no permission), then
 * what was refused or is not known, then what failed, what timed out, what does not run. */
enum status status_worse(enum status a, enum status b);

/* "orderlyctl: ..." on stderr, control characters made harmless. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

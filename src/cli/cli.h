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

struct subcommand {
    const char *name;
    const char *arguments; /* as the usage line shows them */
    const char *summary;
    const char *example;
    unsigned options; /* OPTION_... that it takes, besides those that all take */
    size_t least, most;
    enum status (*run)(struct cli *cli);
};
#define ANY_NUMBER SIZE_MAX

enum status cmd_status(struct cli *cli);
enum status cmd_start(struct cli *cli);
enum status cmd_stop(struct cli *cli);
enum status cmd_restart(struct cli *cli);
enum status cmd_logs(struct cli *cli);
enum status cmd_queue(struct cli *cli);
enum status cmd_history(struct cli *cli);
enum status cmd_wait(struct cli *cli);
enum status cmd_cancel(struct cli *cli);
enum status cmd_check(struct cli *cli);
enum status cmd_reload_config(struct cli *cli);
enum status cmd_shutdown(struct cli *cli);
enum status cmd_version(struct cli *cli);

/* "orderlyctl: ..." on stderr, control characters made harmless. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* subcommands - the table of what orderlyctl can be asked: usage, help and completion are made
 * from it.
 * Threads: any. */
#pragma once

#include "cli.h"

/* What the words after a subcommand are. */
enum words_kind {
    WORDS_NONE,
    WORDS_SERVICES, /* names, globs and tags */
    WORDS_SERVICE,  /* one plain name */
    WORDS_SIGNAL,   /* the first is a signal, the others as WORDS_SERVICES */
    WORDS_GOAL,     /* the first is a goal */
    WORDS_IDS,      /* numbers of operations */
    WORDS_FILE,
};

struct subcommand {
    const char *name;
    const char *arguments; /* as the usage line shows them */
    const char *summary;
    const char *example;
    unsigned options; /* OPTION_... that it takes, besides those that all take */
    enum words_kind words;
    size_t least, most;
    enum status (*run)(struct cli *cli);
};
#define ANY_NUMBER SIZE_MAX

extern const struct subcommand subcommands[];
extern const size_t subcommand_count;

/* NULL: there is none of that name. */
const struct subcommand *subcommand_find(const char *name);
/* How many words stand before the names of services. */
size_t subcommand_leading(const struct subcommand *subcommand);

enum status cmd_status(struct cli *cli);
enum status cmd_is_active(struct cli *cli);
enum status cmd_pid(struct cli *cli);
enum status cmd_start(struct cli *cli);
enum status cmd_stop(struct cli *cli);
enum status cmd_restart(struct cli *cli);
enum status cmd_reload(struct cli *cli);
enum status cmd_signal(struct cli *cli);
enum status cmd_goal(struct cli *cli);
enum status cmd_logs(struct cli *cli);
enum status cmd_rotate(struct cli *cli);
enum status cmd_queue(struct cli *cli);
enum status cmd_history(struct cli *cli);
enum status cmd_events(struct cli *cli);
enum status cmd_wait(struct cli *cli);
enum status cmd_cancel(struct cli *cli);
enum status cmd_check(struct cli *cli);
enum status cmd_reload_config(struct cli *cli);
enum status cmd_shutdown(struct cli *cli);
enum status cmd_upgrade(struct cli *cli);
enum status cmd_version(struct cli *cli);

#include "subcommands.h"

#include <string.h>

#define ASKING                                                                                     \
    (OPTION_JSON | OPTION_NO_WAIT | OPTION_TIMEOUT | OPTION_ALL | OPTION_MODE | OPTION_COALESCE |  \
     OPTION_REASON | OPTION_KEY)

const struct subcommand subcommands[] = {
    {"status", "[NAME...]", "what the services do; one name: all about it",
     "orderlyctl status 'web*' @db", OPTION_JSON | OPTION_ALL, WORDS_SERVICES, 0, ANY_NUMBER,
     cmd_status},
    {"is-active", "NAME...", "whether services run, by the exit status",
     "orderlyctl is-active --quiet backend", OPTION_ALL | OPTION_QUIET, WORDS_SERVICES, 1,
     ANY_NUMBER, cmd_is_active},
    {"pid", "NAME", "the process id of a service's main process", "orderlyctl pid backend", 0,
     WORDS_SERVICE, 1, 1, cmd_pid},
    {"start", "NAME...", "start services, and wait until they are ready",
     "orderlyctl start backend frontend", ASKING, WORDS_SERVICES, 1, ANY_NUMBER, cmd_start},
    {"stop", "NAME...", "stop services, and wait until no process of them is left",
     "orderlyctl stop --now backend", ASKING | OPTION_NOW, WORDS_SERVICES, 1, ANY_NUMBER, cmd_stop},
    {"restart", "NAME...", "stop and start services, each as one operation",
     "orderlyctl restart --reason 'new release' @web", ASKING, WORDS_SERVICES, 1, ANY_NUMBER,
     cmd_restart},
    {"reload", "NAME...", "let services read their own configuration again",
     "orderlyctl reload frontend", ASKING, WORDS_SERVICES, 1, ANY_NUMBER, cmd_reload},
    {"signal", "SIGNAL NAME...", "send a signal to the main processes of services",
     "orderlyctl signal USR1 backend", ASKING, WORDS_SIGNAL, 2, ANY_NUMBER, cmd_signal},
    {"goal", "up|down NAME...", "start or stop services, those only that need it",
     "orderlyctl goal up backend", ASKING, WORDS_GOAL, 2, ANY_NUMBER, cmd_goal},
    {"logs", "[-f] [-n N] NAME", "what a service has written", "orderlyctl logs -f -n 50 backend",
     OPTION_FOLLOW | OPTION_LINES | OPTION_STREAM | OPTION_RAW, WORDS_SERVICE, 1, 1, cmd_logs},
    {"rotate", "NAME...", "begin new log files", "orderlyctl rotate --all",
     OPTION_JSON | OPTION_ALL, WORDS_SERVICES, 1, ANY_NUMBER, cmd_rotate},
    {"queue", "[NAME...]", "operations that run or wait for their turn", "orderlyctl queue backend",
     OPTION_JSON, WORDS_SERVICES, 0, ANY_NUMBER, cmd_queue},
    {"history", "[-n N] [NAME...]", "operations of late, newest first",
     "orderlyctl history -n 5 backend", OPTION_JSON | OPTION_LINES, WORDS_SERVICES, 0, ANY_NUMBER,
     cmd_history},
    {"events", "[--since ID] [NAME]", "what happens, as it happens",
     "orderlyctl events --json backend", OPTION_JSON | OPTION_SINCE, WORDS_SERVICE, 0, 1,
     cmd_events},
    {"wait", "ID...", "wait for the end of operations", "orderlyctl wait 42",
     OPTION_JSON | OPTION_TIMEOUT, WORDS_IDS, 1, ANY_NUMBER, cmd_wait},
    {"cancel", "ID...", "give operations up, whether they wait or run", "orderlyctl cancel 42",
     OPTION_JSON, WORDS_IDS, 1, ANY_NUMBER, cmd_cancel},
    {"check", "[CONFIG]", "look for errors in supervisor.conf and the files of services",
     "orderlyctl check ./supervisor.conf", 0, WORDS_FILE, 0, 1, cmd_check},
    {"reload-config", "", "let the daemon read its files again",
     "orderlyctl reload-config --strict", OPTION_JSON | OPTION_STRICT, WORDS_NONE, 0, 0,
     cmd_reload_config},
    {"upgrade", "", "let the daemon become the program that now stands in its file",
     "orderlyctl upgrade", OPTION_JSON | OPTION_NO_WAIT | OPTION_TIMEOUT, WORDS_NONE, 0, 0,
     cmd_upgrade},
    {"shutdown", "", "stop all services in reverse order, then the daemon",
     "orderlyctl shutdown --leave", OPTION_JSON | OPTION_NO_WAIT | OPTION_TIMEOUT | OPTION_LEAVE,
     WORDS_NONE, 0, 0, cmd_shutdown},
    {"version", "", "versions of orderlyctl and the daemon, and what this machine allows",
     "orderlyctl version", OPTION_JSON, WORDS_NONE, 0, 0, cmd_version},
};
const size_t subcommand_count = sizeof subcommands / sizeof *subcommands;

const struct subcommand *subcommand_find(const char *name)
{
    for (size_t i = 0; i < subcommand_count; i++)
        if (strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    return NULL;
}

size_t subcommand_leading(const struct subcommand *s)
{
    return s->words == WORDS_SIGNAL || s->words == WORDS_GOAL;
}

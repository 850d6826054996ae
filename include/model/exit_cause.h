/* exit_cause - how a process ended, as records show it:
 * {"code":0} | {"signal":"SIGKILL"} | {"unknown":true} | null.
 * Threads: any; a plain value. */
#pragma once

#include "base/text.h"

#include <stdbool.h>

enum exit_kind { EXIT_NONE, EXIT_CODE, EXIT_SIGNAL, EXIT_UNKNOWN };

struct exit_cause {
    enum exit_kind kind;
    int value; /* the code or the signal's number */
};

struct exit_cause exit_cause_from_wait(int wait_status);
bool exit_cause_clean(struct exit_cause cause); /* exit 0, and nothing else */
void exit_cause_json(struct exit_cause cause, struct text *t);
#define EXIT_CAUSE_TEXT_SIZE 64
/* "exited with status 1", "was killed by SIGSEGV", "ended, its status is unknown" */
void exit_cause_describe(struct exit_cause cause, char text[static EXIT_CAUSE_TEXT_SIZE]);

/* "SIGTERM" for 15, "SIGRTMIN+3" above, "32" for what has no name; text must hold 16. */
void signal_name(int number, char text[static 16]);
/* "TERM", "SIGTERM", "15"; -1 when there is no such signal. */
int signal_parse(const char *word);

#include "model/exit_cause.h"

#include "base/units.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

struct exit_cause exit_cause_from_wait(int wait_status)
{
    if (WIFEXITED(wait_status))
        return (struct exit_cause){EXIT_CODE, WEXITSTATUS(wait_status)};
    if (WIFSIGNALED(wait_status))
        return (struct exit_cause){EXIT_SIGNAL, WTERMSIG(wait_status)};
    return (struct exit_cause){.kind = EXIT_UNKNOWN};
}

bool exit_cause_clean(struct exit_cause cause)
{
    return cause.kind == EXIT_CODE && cause.value == 0;
}

void signal_name(int number, char text[static 16])
{
    const char *abbreviation = sigabbrev_np(number);

    if (abbreviation)
        snprintf(text, 16, "SIG%s", abbreviation);
    else if (number < SIGRTMIN) /* the C library's own have none */
        snprintf(text, 16, "%hhd", (signed char)number);
    else if (number == SIGRTMIN)
        snprintf(text, 16, "SIGRTMIN");
    else
        snprintf(text, 16, "SIGRTMIN+%hhd", (signed char)(number - SIGRTMIN));
}

int signal_parse(const char *word)
{
    const char *bare = strncmp(word, "SIG", 3) == 0 ? word + 3 : word;
    int64_t number;
    char name[16];

    if (units_parse_int(word, &number) == 0)
        return number >= 1 && number <= SIGRTMAX ? (int)number : -1;
    for (int i = 1; i <= SIGRTMAX; i++) {
        if (i >= 32 && i < SIGRTMIN)
            continue; /* the C library's own */
        signal_name(i, name);
        if (strcmp(name + 3, bare) == 0)
            return i;
    }
    return -1;
}

void exit_cause_json(struct exit_cause cause, struct text *t)
{
    char name[16];

    switch (cause.kind) {
    case EXIT_NONE: text_append(t, "null"); return;
    case EXIT_CODE: text_appendf(t, "{\"code\":%d}", cause.value); return;
    case EXIT_SIGNAL:
        signal_name(cause.value, name);
        text_appendf(t, "{\"signal\":\"%s\"}", name);
        return;
    case EXIT_UNKNOWN: text_append(t, "{\"unknown\":true}"); return;
    }
}

void exit_cause_describe(struct exit_cause cause, char text[static EXIT_CAUSE_TEXT_SIZE])
{
    char name[16];

    switch (cause.kind) {
    case EXIT_NONE: snprintf(text, EXIT_CAUSE_TEXT_SIZE, "did not end"); return;
    case EXIT_CODE:
        snprintf(text, EXIT_CAUSE_TEXT_SIZE, "exited with status %d", cause.value);
        return;
    case EXIT_SIGNAL:
        signal_name(cause.value, name);
        snprintf(text, EXIT_CAUSE_TEXT_SIZE, "was killed by %s", name);
        return;
    case EXIT_UNKNOWN: snprintf(text, EXIT_CAUSE_TEXT_SIZE, "ended, its status is unknown"); return;
    }
}

#include "unit_cause.h"

#include "base/units.h"

#include <signal.h>

/* What systemd itself exits with when it could not get as far as the program (systemd.exec(5)). */
static const struct step {
    int status;
    const char *words;
} steps[] = {
    {200, "its WorkingDirectory= cannot be entered"},
    {201, "its Nice= cannot be set"},
    {202, "its descriptors cannot be set up"},
    {203, "no such executable, or it may not be executed"},
    {204, "out of memory"},
    {205, "a limit of it (Limit...=) cannot be set"},
    {206, "its OOMScoreAdjust= cannot be set"},
    {208, "its standard input cannot be opened"},
    {209, "its standard output cannot be opened"},
    {210, "its RootDirectory= cannot be entered"},
    {214, "its CPU scheduling cannot be set"},
    {215, "its CPUAffinity= cannot be set"},
    {216, "there is no such group (Group=)"},
    {217, "there is no such user (User=)"},
    {218, "its capabilities cannot be set"},
    {219, "its control group cannot be entered"},
    {222, "its standard error cannot be opened"},
    {224, "PAM refused it (PAMName=)"},
    {225, "its network namespace cannot be set up"},
    {226,
     "its mount namespace cannot be set up: a path of it is missing (ReadWritePaths= or such)"},
    {227, "NoNewPrivileges= cannot be set"},
    {228, "its system call filter cannot be set"},
    {229, "its SELinux context cannot be set"},
    {231, "its AppArmor profile cannot be set"},
    {233, "its RuntimeDirectory= cannot be made"},
    {235, "a file of it cannot be given to its user"},
    {238, "its StateDirectory= cannot be made"},
    {239, "its CacheDirectory= cannot be made"},
    {240, "its LogsDirectory= cannot be made"},
    {241, "its ConfigurationDirectory= cannot be made"},
    {243, "its credentials cannot be set up"},
};

void unit_duration(uint64_t us, char text[static 32])
{
    if (us > INT64_MAX)
        snprintf(text, 32, "infinity");
    else
        units_format_duration((int64_t)us, text);
}

static const char *words_of(int64_t status)
{
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (steps[i].status == status)
            return steps[i].words;
    return NULL;
}

/* A failure that is not the main process's is that of another command in the unit's file. */
static void say_command(const char *unit, char text[static UNIT_SENTENCE_SIZE])
{
    say(text, UNIT_SENTENCE_SIZE,
        "a command of it other than ExecStart= failed; `journalctl -u %s` has what it wrote", unit);
}

static void say_status(const char *unit, const struct unit_props *props,
                       char text[static UNIT_SENTENCE_SIZE])
{
    const char *words = words_of(props->exit_status);

    if (props->exit_code != CLD_EXITED || props->exit_status == 0)
        say_command(unit, text);
    else if (words)
        say(text, UNIT_SENTENCE_SIZE, "status %d, %s", (int)props->exit_status, words);
    else
        say(text, UNIT_SENTENCE_SIZE, "status %d", (int)props->exit_status);
}

static void say_signal(const char *unit, const struct unit_props *props,
                       char text[static UNIT_SENTENCE_SIZE])
{
    struct exit_cause cause = unit_props_exit(props);
    char name[16];

    if (cause.kind != EXIT_SIGNAL) {
        say_command(unit, text);
        return;
    }
    signal_name(cause.value, name);
    say(text, UNIT_SENTENCE_SIZE, "killed by %s%s", name,
        props->exit_code == CLD_DUMPED ? ", which left a core dump" : "");
}

/* Of the start or of the stop: only one of them can have run out, and the start's unit is told by
 * where it was; both are named. */
static void say_timeout(const char *unit, const struct unit_props *props,
                        char text[static UNIT_SENTENCE_SIZE])
{
    char start[32], stop[32];

    (void)unit;
    unit_duration(props->start_timeout_us, start);
    unit_duration(props->stop_timeout_us, stop);
    say(text, UNIT_SENTENCE_SIZE,
        "a timeout of its own ran out (TimeoutStartSec=%s, TimeoutStopSec=%s)", start, stop);
}

static void say_watchdog(const char *unit, const struct unit_props *props,
                         char text[static UNIT_SENTENCE_SIZE])
{
    char time[32];

    (void)unit;
    unit_duration(props->watchdog_us, time);
    say(text, UNIT_SENTENCE_SIZE, "it had not told its watchdog for WatchdogSec=%s", time);
}

void unit_cause_limit(const char *unit, char text[static UNIT_SENTENCE_SIZE])
{
    say_more(
        text, UNIT_SENTENCE_SIZE,
        "it was started too often in a short time (start-limit-hit, StartLimitBurst=); `systemctl "
        "reset-failed %s` lets it be started again at once",
        unit);
}

static void say_limit(const char *unit, const struct unit_props *props,
                      char text[static UNIT_SENTENCE_SIZE])
{
    (void)props;
    text[0] = '\0';
    unit_cause_limit(unit, text);
}

static void say_resources(const char *unit, const struct unit_props *props,
                          char text[static UNIT_SENTENCE_SIZE])
{
    (void)props;
    say(text, UNIT_SENTENCE_SIZE,
        "systemd could not get what it takes to run it (result resources); `journalctl -u %s` says "
        "what",
        unit);
}

static void say_protocol(const char *unit, const struct unit_props *props,
                         char text[static UNIT_SENTENCE_SIZE])
{
    struct exit_cause cause = unit_props_exit(props);
    char how[EXIT_CAUSE_TEXT_SIZE];

    (void)unit;
    exit_cause_describe(cause, how);
    say(text, UNIT_SENTENCE_SIZE,
        "its main process %s before it had said that it is ready (Type=%s, result protocol)",
        cause.kind == EXIT_NONE ? "was lost" : how, props->type);
}

static void say_oom(const char *unit, const struct unit_props *props,
                    char text[static UNIT_SENTENCE_SIZE])
{
    (void)unit;
    (void)props;
    say(text, UNIT_SENTENCE_SIZE,
        "a process of it was killed because memory ran out (result oom-kill)");
}

static void say_condition(const char *unit, const struct unit_props *props,
                          char text[static UNIT_SENTENCE_SIZE])
{
    (void)unit;
    (void)props;
    say(text, UNIT_SENTENCE_SIZE, "its ExecCondition= said no");
}

static void say_success(const char *unit, const struct unit_props *props,
                        char text[static UNIT_SENTENCE_SIZE])
{
    struct exit_cause cause = unit_props_exit(props);
    char how[EXIT_CAUSE_TEXT_SIZE];

    (void)unit;
    exit_cause_describe(cause, how);
    say(text, UNIT_SENTENCE_SIZE, "it %s", cause.kind == EXIT_NONE ? "ended" : how);
}

static const struct cause {
    const char *result;
    void (*say)(const char *unit, const struct unit_props *props,
                char text[static UNIT_SENTENCE_SIZE]);
} causes[] = {
    {"exit-code", say_status},         {"signal", say_signal},     {"core-dump", say_signal},
    {"timeout", say_timeout},          {"watchdog", say_watchdog}, {"start-limit-hit", say_limit},
    {"resources", say_resources},      {"protocol", say_protocol}, {"oom-kill", say_oom},
    {"exec-condition", say_condition}, {"success", say_success},
};

void unit_cause(const char *unit, const struct unit_props *props,
                char text[static UNIT_SENTENCE_SIZE])
{
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++)
        if (strcmp(causes[i].result, props->result) == 0) {
            causes[i].say(unit, props, text);
            return;
        }
    say(text, UNIT_SENTENCE_SIZE, "its result is %s", props->result);
}

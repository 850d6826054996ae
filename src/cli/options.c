#include "options.h"

#include "cli.h"

#include "base/nearest.h"
#include "base/units.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* Values of options that every subcommand takes; the others are their OPTION_ bit, below these. */
enum { SOCKET = OPTIONS_END, URL, TOKEN_FILE, CACERT, CONFIG, HELP, VERSION };

#define KEY_MAX 255

struct row {
    const char *name, *argument; /* NULL: takes none */
    int value;
    char letter; /* 0: none */
    const char *help;
    enum argument_kind kind;
    const char *const *words; /* of ARGUMENT_WORDS */
};

static const char *const modes[] = {"queue", "fail", "replace", NULL};
static const char *const streams[] = {"stdout", "stderr", NULL};
static const char *const yes_or_no[] = {"yes", "no", NULL};

static const struct row rows[] = {
    {"all", NULL, OPTION_ALL, 0, "every service", 0, NULL},
    {"now", NULL, OPTION_NOW, 0, "before what waits and instead of it: --mode=replace", 0, NULL},
    {"mode", "MODE", OPTION_MODE, 0, "queue, fail unless idle, or replace", ARGUMENT_WORDS, modes},
    {"coalesce", "[=yes|no]", OPTION_COALESCE, 0, "join an identical one that waits already",
     ARGUMENT_WORDS, yes_or_no},
    {"reason", "TEXT", OPTION_REASON, 0, "why, for those who read the history", ARGUMENT_TEXT,
     NULL},
    {"idempotency-key", "KEY", OPTION_KEY, 0, "asked again with the same key it is done once",
     ARGUMENT_TEXT, NULL},
    {"no-wait", NULL, OPTION_NO_WAIT, 0, "don't wait for the end", 0, NULL},
    {"timeout", "DURATION", OPTION_TIMEOUT, 0, "at most this long, for example 45s", ARGUMENT_TEXT,
     NULL},
    {"follow", NULL, OPTION_FOLLOW, 'f', "go on with what is written from now on", 0, NULL},
    {"lines", "N", OPTION_LINES, 'n', "how many, the last ones", ARGUMENT_TEXT, NULL},
    {"stream", "STREAM", OPTION_STREAM, 0, "stdout, or a stderr that is kept apart", ARGUMENT_WORDS,
     streams},
    {"since", "ID", OPTION_SINCE, 0, "what came after this event, and then what comes",
     ARGUMENT_TEXT, NULL},
    {"raw", NULL, OPTION_RAW, 0, "control characters as they are, also on a terminal", 0, NULL},
    {"quiet", NULL, OPTION_QUIET, 'q', "print nothing, the exit status says it", 0, NULL},
    {"strict", NULL, OPTION_STRICT, 0, "change nothing when there is any error", 0, NULL},
    {"leave", NULL, OPTION_LEAVE, 0, "leave the services running for the next daemon", 0, NULL},
    {"json", NULL, OPTION_JSON, 0, "print what the daemon answers, as it is", 0, NULL},
    {"socket", "PATH", SOCKET, 0, "the daemon's Unix socket", ARGUMENT_FILE, NULL},
    {"url", "URL", URL, 0, "the daemon's http:// or https:// address", ARGUMENT_TEXT, NULL},
    {"token-file", "FILE", TOKEN_FILE, 0, "where the token for --url is", ARGUMENT_FILE, NULL},
    {"cacert", "FILE", CACERT, 0, "who may vouch for an https:// address", ARGUMENT_FILE, NULL},
    {"config", "FILE", CONFIG, 0, "the daemon's supervisor.conf, which names its socket",
     ARGUMENT_FILE, NULL},
    {"help", NULL, HELP, 'h', "this text", 0, NULL},
    {"version", NULL, VERSION, 0, "the version of orderlyctl", 0, NULL},
};
#define ROWS (sizeof rows / sizeof *rows)

static bool is_common(const struct row *row)
{
    return row->value >= OPTIONS_END;
}

/* "[=yes|no]": only attached. */
static bool is_optional(const struct row *row)
{
    return row->argument && *row->argument == '[';
}

const char *option_name(unsigned set)
{
    for (size_t i = 0; i < ROWS; i++)
        if (!is_common(&rows[i]) && (set & (unsigned)rows[i].value))
            return rows[i].name;
    return "";
}

void options_print_help(unsigned set, FILE *to)
{
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *row = &rows[i];
        char left[48];

        if (!is_common(row) && !(set & (unsigned)row->value))
            continue;
        snprintf(left, sizeof left, "%c%c%s--%s%s%s", row->letter ? '-' : ' ',
                 row->letter ? row->letter : ' ', row->letter ? ", " : "  ", row->name,
                 row->argument && !is_optional(row) ? " " : "", row->argument ? row->argument : "");
        fprintf(to, "  %-26s  %s\n", left, row->help);
    }
}

bool option_facts(size_t index, struct option_facts *ret)
{
    const struct row *row = &rows[index];

    if (index >= ROWS)
        return false;
    *ret = (struct option_facts){
        .name = row->name,
        .help = row->help,
        .letter = row->letter,
        .common = is_common(row),
        .bit = is_common(row) ? 0 : (unsigned)row->value,
        .kind = row->kind,
        .needs_argument = row->argument && !is_optional(row),
        .words = row->words,
    };
    return true;
}

/* ---- arguments ---- */

static bool take_timeout(struct options *o, const char *argument)
{
    o->timeout = argument;
    if (units_parse_duration(argument, &o->timeout_us) == 0 && o->timeout_us > 0 &&
        o->timeout_us < INT64_MAX / 2)
        return true;
    complain("--timeout: \"%s\" is not a duration above 0 such as 500ms, 30s or 5m", argument);
    return false;
}

static bool take_lines(struct options *o, const char *argument)
{
    if (units_parse_int(argument, &o->lines) == 0 && o->lines >= 0)
        return true;
    complain("-n: \"%s\" is not a whole number", argument);
    return false;
}

static bool take_since(struct options *o, const char *argument)
{
    if (units_parse_int(argument, &o->since) == 0 && o->since >= 0)
        return true;
    complain("--since: \"%s\" is not the id of an event, a whole number", argument);
    return false;
}

/* It goes into a header, which is one line of visible characters. */
static bool take_key(struct options *o, const char *argument)
{
    size_t len = strlen(argument);
    bool visible = true;

    for (size_t i = 0; i < len; i++)
        visible &= argument[i] > ' ' && argument[i] < 0x7f;
    o->key = argument;
    if (visible && len >= 1 && len <= KEY_MAX)
        return true;
    complain("--idempotency-key: a key is 1 to %d visible ASCII characters without blanks",
             KEY_MAX);
    return false;
}

static bool take_word(const char *option, const char *const *words, const char *argument,
                      const char **ret)
{
    for (const char *const *word = words; *word; word++)
        if (strcmp(*word, argument) == 0) {
            *ret = argument;
            return true;
        }
    complain("--%s: \"%s\" is not %s%s%s%s%s", option, argument, words[0], words[2] ? ", " : " or ",
             words[1], words[2] ? " or " : "", words[2] ? words[2] : "");
    return false;
}

static bool take_coalesce(struct options *o, const char *argument)
{
    const char *word = "yes";

    if (argument && !take_word("coalesce", yes_or_no, argument, &word))
        return false;
    o->coalesce = *word == 'y';
    return true;
}

static bool take_option(struct options *o, int value, const char *argument)
{
    switch (value) {
    case SOCKET: o->socket = argument; return true;
    case URL: o->url = argument; return true;
    case TOKEN_FILE: o->token_file = argument; return true;
    case CACERT: o->cacert = argument; return true;
    case CONFIG: o->config = argument; return true;
    case HELP: o->help = true; return true;
    case VERSION: o->version = true; return true;
    default: break;
    }
    o->given |= (unsigned)value;
    switch (value) {
    case OPTION_TIMEOUT: return take_timeout(o, argument);
    case OPTION_LINES: return take_lines(o, argument);
    case OPTION_SINCE: return take_since(o, argument);
    case OPTION_KEY: return take_key(o, argument);
    case OPTION_MODE: return take_word("mode", modes, argument, &o->mode);
    case OPTION_STREAM: return take_word("stream", streams, argument, &o->stream);
    case OPTION_COALESCE: return take_coalesce(o, argument);
    case OPTION_REASON: o->reason = argument; return true;
    default: return true;
    }
}

/* ---- reading ---- */

static void complain_of_unknown(const char *typed, int letter)
{
    const char *names[ROWS], *nearest;
    char bare[64];

    if (letter > 0) {
        complain("there is no option -%c; see orderlyctl --help", letter);
        return;
    }
    snprintf(bare, sizeof bare, "%s", typed + 2);
    bare[strcspn(bare, "=")] = '\0';
    for (size_t i = 0; i < ROWS; i++) {
        names[i] = rows[i].name;
        if (strcmp(bare, names[i]) == 0) {
            complain("--%s takes no argument", bare);
            return;
        }
    }
    nearest = nearest_word(bare, names, ROWS);
    if (nearest)
        complain("there is no option --%s; did you mean --%s?", bare, nearest);
    else
        complain("there is no option --%s; see orderlyctl --help", bare);
}

/* The letters of short options for getopt: "-" gives words in their order, ":" tells a missing
 * argument apart. */
static void letters_of(char *letters)
{
    *letters++ = '-';
    *letters++ = ':';
    for (size_t i = 0; i < ROWS; i++) {
        if (!rows[i].letter)
            continue;
        *letters++ = rows[i].letter;
        if (rows[i].argument)
            *letters++ = ':';
    }
    *letters = '\0';
}

static int value_of_letter(int letter)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].letter == letter)
            return rows[i].value;
    return letter;
}

/* One word or option; false: something is wrong with it and has been said. */
static bool take_one(struct options *o, int found, char *argv[])
{
    switch (found) {
    case 1: o->words[o->count++] = optarg; return true;
    case '?': complain_of_unknown(argv[optind - 1], optopt < 256 ? optopt : 0); return false;
    case ':': complain("%s needs an argument", argv[optind - 1]); return false;
    default: return take_option(o, value_of_letter(found), optarg);
    }
}

bool options_parse(int argc, char *argv[], struct options *ret_options)
{
    struct option longs[ROWS + 1] = {0};
    char letters[2 * ROWS + 3];
    int found;

    *ret_options = (struct options){.words = calloc((size_t)argc + 1, sizeof(char *))};
    if (!ret_options->words) {
        complain("%s", strerror(ENOMEM));
        return false;
    }
    for (size_t i = 0; i < ROWS; i++)
        longs[i] = (struct option){rows[i].name,
                                   !rows[i].argument       ? no_argument
                                   : is_optional(&rows[i]) ? optional_argument
                                                           : required_argument,
                                   NULL, rows[i].value};
    letters_of(letters);
    opterr = 0;
    while ((found = getopt_long(argc, argv, letters, longs, NULL)) != -1)
        if (!take_one(ret_options, found, argv))
            return false;
    while (optind < argc) /* after "--" */
        ret_options->words[ret_options->count++] = argv[optind++];
    return true;
}

void options_deinit(struct options *options)
{
    free(options->words);
}

#include "options.h"

#include "cli.h"

#include "base/nearest.h"
#include "base/units.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* Values of options that every subcommand takes; the others are their OPTION_ bit, above these. */
enum { SOCKET = 1 << 16, URL, TOKEN_FILE, CONFIG, HELP, VERSION };

struct row {
    const char *name, *argument; /* NULL: takes none */
    int value;
    char letter; /* 0: none */
    const char *help;
};

static const struct row rows[] = {
    {"no-wait", NULL, OPTION_NO_WAIT, 0, "don't wait for the end"},
    {"timeout", "DURATION", OPTION_TIMEOUT, 0, "at most this long, for example 45s"},
    {"follow", NULL, OPTION_FOLLOW, 'f', "go on with what is written from now on"},
    {"lines", "N", OPTION_LINES, 'n', "how many, the last ones"},
    {"strict", NULL, OPTION_STRICT, 0, "change nothing when there is any error"},
    {"leave", NULL, OPTION_LEAVE, 0, "leave the services running for the next daemon"},
    {"json", NULL, OPTION_JSON, 0, "print what the daemon answers, as it is"},
    {"socket", "PATH", SOCKET, 0, "the daemon's Unix socket"},
    {"url", "URL", URL, 0, "the daemon's http:// or https:// address"},
    {"token-file", "FILE", TOKEN_FILE, 0, "where the token for --url is"},
    {"config", "FILE", CONFIG, 0, "the daemon's supervisor.conf, which names its socket"},
    {"help", NULL, HELP, 'h', "this text"},
    {"version", NULL, VERSION, 0, "the version of orderlyctl"},
};
#define ROWS (sizeof rows / sizeof *rows)

const char *option_name(unsigned set)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].value < SOCKET && (set & (unsigned)rows[i].value))
            return rows[i].name;
    return "";
}

void options_print_help(unsigned set, FILE *to)
{
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *row = &rows[i];
        char left[40];

        if (row->value < SOCKET && !(set & (unsigned)row->value))
            continue;
        snprintf(left, sizeof left, "%c%c%s--%s%s%s", row->letter ? '-' : ' ',
                 row->letter ? row->letter : ' ', row->letter ? ", " : "  ", row->name,
                 row->argument ? " " : "", row->argument ? row->argument : "");
        fprintf(to, "  %-26s  %s\n", left, row->help);
    }
}

static bool take_timeout(struct options *o, const char *argument)
{
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

static bool take_option(struct options *o, int value, const char *argument)
{
    switch (value) {
    case SOCKET: o->socket = argument; return true;
    case URL: o->url = argument; return true;
    case TOKEN_FILE: o->token_file = argument; return true;
    case CONFIG: o->config = argument; return true;
    case HELP: o->help = true; return true;
    case VERSION: o->version = true; return true;
    default: break;
    }
    o->given |= (unsigned)value;
    if (value == OPTION_TIMEOUT)
        return take_timeout(o, argument);
    if (value == OPTION_LINES)
        return take_lines(o, argument);
    return true;
}

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
        longs[i] = (struct option){rows[i].name, rows[i].argument ? required_argument : no_argument,
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

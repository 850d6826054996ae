/* options - the command line of orderlyctl: options stand before or after the words.
 * Threads: none. Ownership: words point into argv; options_deinit() frees the array of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Options that only some subcommands take; above every letter, for getopt. */
enum option_bit {
    OPTION_JSON = 1 << 8,
    OPTION_NO_WAIT = 1 << 9,
    OPTION_TIMEOUT = 1 << 10,
    OPTION_FOLLOW = 1 << 11,
    OPTION_LINES = 1 << 12,
    OPTION_STRICT = 1 << 13,
    OPTION_LEAVE = 1 << 14,
    OPTION_ALL = 1 << 15,
    OPTION_NOW = 1 << 16,
    OPTION_MODE = 1 << 17,
    OPTION_REASON = 1 << 18,
    OPTION_COALESCE = 1 << 19,
    OPTION_KEY = 1 << 20,
    OPTION_STREAM = 1 << 21,
    OPTION_RAW = 1 << 22,
    OPTION_QUIET = 1 << 23,
    OPTION_SINCE = 1 << 24,
    OPTIONS_END = 1 << 25,
};

struct options {
    const char *socket, *url, *token_file, *cacert, *config;
    unsigned given; /* OPTION_... */
    int64_t timeout_us;
    const char *timeout; /* as typed */
    int64_t lines, since;
    const char *mode, *reason, *key, *stream;
    bool coalesce;
    bool help, version;
    const char **words; /* the subcommand first */
    size_t count;
};

/* false: it has said on stderr what is wrong; what came before that is in *ret_options. */
bool options_parse(int argc, char *argv[], struct options *ret_options);
void options_deinit(struct options *options);

static inline bool option_given(const struct options *options, enum option_bit option)
{
    return (options->given & option) != 0;
}

/* The long name of the first option in the set. */
const char *option_name(unsigned set);
/* A line for each option of the set, and one for each that every subcommand takes. */
void options_print_help(unsigned set, FILE *to);

/* ---- for completion ---- */

/* What may follow an option as its argument. */
enum argument_kind { ARGUMENT_NONE, ARGUMENT_TEXT, ARGUMENT_FILE, ARGUMENT_WORDS };

struct option_facts {
    const char *name, *help;
    char letter; /* 0: none */
    bool common; /* every subcommand takes it */
    unsigned bit;
    enum argument_kind kind;
    bool needs_argument;      /* the next word, when none is attached */
    const char *const *words; /* of ARGUMENT_WORDS, ended by NULL */
};
/* false: there is no option so far down the table. */
bool option_facts(size_t index, struct option_facts *ret_facts);

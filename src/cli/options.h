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
};

struct options {
    const char *socket, *url, *token_file, *config;
    unsigned given; /* OPTION_... */
    int64_t timeout_us;
    int64_t lines;
    bool help, version;
    const char **words; /* the subcommand first */
    size_t count;
};

/* false: it has said on stderr what is wrong. */
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

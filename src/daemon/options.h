/* options - orderlyd's command line.
 * Threads: main's. Ownership: config points into argv. */
#pragma once

#include <stdbool.h>

struct options {
    const char *config;
    bool check, help_config, help_api, version, help;
};

extern const char options_usage[];

/* 0, or -EINVAL: stderr has been told why. */
int options_parse(int argc, char **argv, struct options *ret_options);

#include "options.h"

#include "config/config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

const char options_usage[] =
    "usage: orderlyd [--config FILE] [--check | --help-config | --help-api | --version | --help]\n"
    "  --config FILE   read FILE instead of " CONFIG_DEFAULT_PATH "\n"
    "  --check         read the configuration, tell every error, and exit (1: there are errors)\n"
    "  --help-config   print every section and key with type, range and default\n"
    "  --help-api      print the REST interface as JSON: every route, parameter and problem\n"
    "  --version       print the version\n"
    "orderlyd stays in the foreground; see orderlyd(8).\n";

int options_parse(int argc, char **argv, struct options *ret_options)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},
        {"check", no_argument, NULL, 'k'},
        {"help-config", no_argument, NULL, 'd'},
        {"help-api", no_argument, NULL, 'a'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    *ret_options = (struct options){.config = CONFIG_DEFAULT_PATH};
    while ((option = getopt_long(argc, argv, "c:h", known, NULL)) >= 0)
        switch (option) {
        case 'c': ret_options->config = optarg; break;
        case 'k': ret_options->check = true; break;
        case 'd': ret_options->help_config = true; break;
        case 'a': ret_options->help_api = true; break;
        case 'v': ret_options->version = true; break;
        case 'h': ret_options->help = true; break;
        default: fputs(options_usage, stderr); return -EINVAL;
        }
    if (optind < argc) {
        fprintf(stderr, "orderlyd: unexpected argument \"%s\"\n%s", argv[optind], options_usage);
        return -EINVAL;
    }
    return 0;
}

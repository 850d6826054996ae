/* orderlyctl - the table of subcommands, and what they share: the command line, help, the end. */
#include "cli.h"
#include "interrupt.h"

#include "base/nearest.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITING (OPTION_JSON | OPTION_NO_WAIT | OPTION_TIMEOUT)

static const struct subcommand subcommands[] = {
    {"status", "[NAME|GLOB|@TAG...]", "what the services do; one name: all about it",
     "orderlyctl status 'blockchain_*'", OPTION_JSON, 0, ANY_NUMBER, cmd_status},
    {"start", "NAME...", "start services, and wait until they are ready",
     "orderlyctl start backend frontend", WAITING, 1, ANY_NUMBER, cmd_start},
    {"stop", "NAME...", "stop services, and wait until no process of them is left",
     "orderlyctl stop --timeout 1m backend", WAITING, 1, ANY_NUMBER, cmd_stop},
    {"restart", "NAME...", "stop and start services, each as one operation",
     "orderlyctl restart backend", WAITING, 1, ANY_NUMBER, cmd_restart},
    {"logs", "[-f] [-n N] NAME", "what a service has written", "orderlyctl logs -f -n 50 backend",
     OPTION_FOLLOW | OPTION_LINES, 1, 1, cmd_logs},
    {"queue", "[NAME]", "operations that run or wait for their turn", "orderlyctl queue backend",
     OPTION_JSON, 0, 1, cmd_queue},
    {"history", "[-n N] [NAME]", "operations of late, newest first",
     "orderlyctl history -n 5 backend", OPTION_JSON | OPTION_LINES, 0, 1, cmd_history},
    {"wait", "ID", "wait for the end of an operation", "orderlyctl wait 42",
     OPTION_JSON | OPTION_TIMEOUT, 1, 1, cmd_wait},
    {"cancel", "ID", "cancel an operation that has not begun", "orderlyctl cancel 42", OPTION_JSON,
     1, 1, cmd_cancel},
    {"check", "[CONFIG]", "look for errors in supervisor.conf and the files of services",
     "orderlyctl check ./supervisor.conf", 0, 0, 1, cmd_check},
    {"reload-config", "", "let the daemon read its files again",
     "orderlyctl reload-config --strict", OPTION_JSON | OPTION_STRICT, 0, 0, cmd_reload_config},
    {"shutdown", "", "stop all services in reverse order, then the daemon",
     "orderlyctl shutdown --leave", WAITING | OPTION_LEAVE, 0, 0, cmd_shutdown},
    {"version", "", "versions of orderlyctl and the daemon, and what this machine allows",
     "orderlyctl version", OPTION_JSON, 0, 0, cmd_version},
};
#define SUBCOMMANDS (sizeof subcommands / sizeof *subcommands)

void complain(const char *format, ...)
{
    va_list arguments;
    char *message;
    int n;

    va_start(arguments, format);
    n = vasprintf(&message, format, arguments);
    va_end(arguments);
    if (n < 0)
        return;
    fflush(stdout);
    fputs("orderlyctl: ", stderr);
    harmless_print(stderr, message);
    fputc('\n', stderr);
    free(message);
}

static void print_usage(const struct subcommand *s, FILE *to)
{
    fprintf(to, "usage: orderlyctl %s%s%s [OPTION...]\n", s->name, *s->arguments ? " " : "",
            s->arguments);
}

static void print_help_of(const struct subcommand *s)
{
    print_usage(s, stdout);
    printf("\n%s\n\noptions:\n", s->summary);
    options_print_help(s->options, stdout);
    printf("\nexample:\n  %s\n", s->example);
}

static void print_help(void)
{
    printf("usage: orderlyctl SUBCOMMAND [WORD...] [OPTION...]\n\n");
    for (size_t i = 0; i < SUBCOMMANDS; i++)
        printf("  %-14s %s\n", subcommands[i].name, subcommands[i].summary);
    printf("\nEach tells more: orderlyctl SUBCOMMAND --help. All take:\n");
    options_print_help(0, stdout);
}

static const struct subcommand *find_subcommand(const char *word)
{
    const char *names[SUBCOMMANDS], *nearest;

    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        if (strcmp(subcommands[i].name, word) == 0)
            return &subcommands[i];
        names[i] = subcommands[i].name;
    }
    nearest = nearest_word(word, names, SUBCOMMANDS);
    if (strcmp(word, "reload") == 0)
        complain("reload of a service is not built in this version; to let the daemon read its "
                 "files again: orderlyctl reload-config");
    else if (nearest)
        complain("there is no subcommand \"%s\"; did you mean \"%s\"?", word, nearest);
    else
        complain("there is no subcommand \"%s\"; see orderlyctl --help", word);
    return NULL;
}

/* Whether the words and options are such as it takes. */
static bool check_usage(const struct subcommand *s, const struct options *o)
{
    unsigned strange = o->given & ~s->options;
    size_t words = o->count - 1;

    if (strange)
        complain("%s does not take --%s", s->name, option_name(strange));
    else if (words < s->least)
        complain("%s: %s is missing", s->name,
                 strstr(s->arguments, "ID") ? "the number of an operation"
                                            : "the name of a service");
    else if (words > s->most)
        complain("%s: \"%s\" is one word too many", s->name, o->words[s->most + 1]);
    else if (o->socket && o->url)
        complain("--socket and --url name two daemons: give one of them");
    else if (o->socket && o->token_file)
        complain("--token-file is for --url; a socket needs no token");
    else
        return true;
    print_usage(s, stderr);
    return false;
}

static enum status run(struct cli *cli)
{
    const struct subcommand *s;

    if (cli->options.version) {
        puts("orderlyctl " ORDERLY_VERSION);
        return STATUS_DONE;
    }
    if (cli->options.count == 0) {
        if (cli->options.help) {
            print_help();
            return STATUS_DONE;
        }
        complain("a subcommand is missing, for example: orderlyctl status");
        fputs("usage: orderlyctl SUBCOMMAND [WORD...] [OPTION...]; see orderlyctl --help\n",
              stderr);
        return STATUS_USAGE;
    }
    s = find_subcommand(cli->options.words[0]);
    if (!s)
        return STATUS_USAGE;
    if (cli->options.help) {
        print_help_of(s);
        return STATUS_DONE;
    }
    return check_usage(s, &cli->options) ? s->run(cli) : STATUS_USAGE;
}

/* What was printed must have arrived: a full disk is a failure. */
static enum status end_output(enum status status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    complain("cannot write: %s", strerror(errno));
    return status == STATUS_DONE ? STATUS_FAILED : status;
}

int main(int argc, char *argv[])
{
    struct cli cli = {0};
    enum status status = STATUS_USAGE;

    screen_init(&cli.screen);
    interrupt_watch();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (options_parse(argc, argv, &cli.options))
        status = end_output(run(&cli));
    client_free(cli.client);
    target_deinit(&cli.target);
    options_deinit(&cli.options);
    curl_global_cleanup();
    return (int)status;
}

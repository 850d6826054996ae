/* orderlyctl - what all subcommands share: the command line, help, complaints, the end. */
#include "cli.h"
#include "complete.h"
#include "interrupt.h"
#include "subcommands.h"

#include "base/nearest.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

enum status status_worse(enum status a, enum status b)
{
    static const enum status worst_first[] = {
        STATUS_INTERRUPTED, STATUS_UNREACHABLE, STATUS_DENIED,
        STATUS_USAGE,       STATUS_REFUSED,     STATUS_UNKNOWN,
        STATUS_FAILED,      STATUS_TIMED_OUT,   STATUS_NOT_RUNNING,
    };

    for (size_t i = 0; i < sizeof worst_first / sizeof *worst_first; i++)
        if (a == worst_first[i] || b == worst_first[i])
            return worst_first[i];
    return STATUS_DONE;
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
    for (size_t i = 0; i < subcommand_count; i++)
        printf("  %-14s %s\n", subcommands[i].name, subcommands[i].summary);
    printf("\nEach tells more: orderlyctl SUBCOMMAND --help. All take:\n");
    options_print_help(0, stdout);
}

static void complain_of_subcommand(const char *word)
{
    struct nearest best = {.typed = word};

    for (size_t i = 0; i < subcommand_count; i++)
        nearest_offer(&best, subcommands[i].name);
    if (best.word)
        complain("there is no subcommand \"%s\"; did you mean \"%s\"?", word, best.word);
    else
        complain("there is no subcommand \"%s\"; see orderlyctl --help", word);
}

static void complain_of_few(const struct subcommand *s, size_t words)
{
    static const char *const missing[] = {
        [WORDS_NONE] = "a word",
        [WORDS_SERVICES] = "the name of a service, or --all,",
        [WORDS_SERVICE] = "the name of a service",
        [WORDS_SIGNAL] = "the signal, as HUP,",
        [WORDS_GOAL] = "the goal, up or down,",
        [WORDS_IDS] = "the number of an operation",
        [WORDS_FILE] = "a file",
    };

    if (strcmp(s->name, "reload") == 0)
        complain("reload: which service? To let the daemon read its own files again: orderlyctl "
                 "reload-config");
    else
        complain("%s: %s is missing", s->name,
                 missing[words < subcommand_leading(s)                        ? s->words
                         : s->words == WORDS_SERVICE || s->words == WORDS_IDS ? s->words
                                                                              : WORDS_SERVICES]);
}

/* Whether the words are as many as it takes; --all stands for the names. */
static bool check_words(const struct subcommand *s, const struct options *o)
{
    bool all = option_given(o, OPTION_ALL);
    size_t words = o->count - 1, leading = subcommand_leading(s);

    if (all && words > leading)
        complain("%s: --all and \"%s\": give one of them", s->name, o->words[leading + 1]);
    else if (words < (all ? leading : s->least))
        complain_of_few(s, words);
    else if (words > s->most)
        complain("%s: \"%s\" is one word too many", s->name, o->words[s->most + 1]);
    else
        return true;
    return false;
}

/* Whether the words and options are such as it takes. */
static bool check_usage(const struct subcommand *s, const struct options *o)
{
    unsigned strange = o->given & ~s->options;

    if (strange)
        complain("%s does not take --%s", s->name, option_name(strange));
    else if (o->socket && o->url)
        complain("--socket and --url name two daemons: give one of them");
    else if (o->socket && (o->token_file || o->cacert))
        complain("--%s is for --url; a socket needs none", o->token_file ? "token-file" : "cacert");
    else if (option_given(o, OPTION_NOW) && option_given(o, OPTION_MODE))
        complain("--now is --mode=replace: give one of them");
    else if (check_words(s, o))
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
    s = subcommand_find(cli->options.words[0]);
    if (!s) {
        complain_of_subcommand(cli->options.words[0]);
        return STATUS_USAGE;
    }
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
    if (argc > 1 && strcmp(argv[1], COMPLETE_WORD) == 0)
        status = end_output(complete(&cli, argc - 1, argv + 1));
    else if (options_parse(argc, argv, &cli.options))
        status = end_output(run(&cli));
    client_free(cli.client);
    target_deinit(&cli.target);
    options_deinit(&cli.options);
    curl_global_cleanup();
    return (int)status;
}

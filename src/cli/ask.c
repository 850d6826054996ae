#include "ask.h"

#include "fields.h"
#include "interrupt.h"

#include "base/clock.h"
#include "base/units.h"
#include "model/service_spec.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum status ask_open(struct cli *cli)
{
    struct error err = {0};

    if (cli->client)
        return STATUS_DONE;
    if (find_daemon(&cli->options, &cli->target, &err) < 0) {
        complain("%s", err.text);
        return err.code == -ENOMEM ? STATUS_FAILED : STATUS_USAGE;
    }
    if (client_new(&cli->target, &cli->client, &err) < 0) {
        complain("%s", err.text);
        return STATUS_FAILED;
    }
    return STATUS_DONE;
}

/* Of one operation, or of several: what became of them is said by their states, not by the HTTP
 * status. */
bool answer_is_operation(const struct answer *answer)
{
    return (json_is_integer(json_object_get(answer->json, "id")) &&
            json_is_string(json_object_get(answer->json, "state"))) ||
           json_is_array(json_object_get(answer->json, "operations"));
}

enum status status_of_failure(const struct error *err)
{
    switch (err->code) {
    case -EINTR: return STATUS_INTERRUPTED;
    case -EACCES: return STATUS_DENIED;
    case -EPROTO:
    case -ENOMEM: return STATUS_FAILED;
    default: return STATUS_UNREACHABLE;
    }
}

enum status status_of_answer(const struct answer *answer)
{
    const char *code = field_string(answer->json, "code");

    if ((answer->http >= 200 && answer->http < 300) || answer_is_operation(answer))
        return STATUS_DONE;
    switch (answer->http) {
    case 400: return STATUS_USAGE;
    case 401:
    case 403: return STATUS_DENIED;
    case 404: return strncmp(code, "unknown_", 8) == 0 ? STATUS_UNKNOWN : STATUS_FAILED;
    case 410: return STATUS_UNKNOWN;
    case 409:
    case 422:
    case 429:
    case 503: return STATUS_REFUSED;
    default: return STATUS_FAILED;
    }
}

void complain_of_failure(const struct error *err)
{
    if (err->code != -EINTR)
        complain("%s", err->text);
}

void complain_of_answer(const struct cli *cli, const struct answer *answer)
{
    const char *detail = field_string(answer->json, "detail");

    if (*detail == '\0')
        complain("what answers at %s is not orderlyd: HTTP status %ld",
                 target_address(&cli->target), answer->http);
    else if (answer->http == 401 && !cli->target.token && !cli->target.socket)
        complain("%s; give a token: --token-file, ORDERLY_TOKEN or ORDERLY_TOKEN_FILE", detail);
    else
        complain("%s", detail);
}

enum status ask_request(struct cli *cli, const struct request *request, struct answer *ret_answer)
{
    struct request whole = *request;
    struct error err = {0};
    enum status status = ask_open(cli);

    *ret_answer = (struct answer){0};
    if (status != STATUS_DONE)
        return status;
    if (whole.patience_us == 0)
        whole.patience_us = ASK_PATIENCE_US;
    if (client_request(cli->client, &whole, ret_answer, &err) < 0) {
        complain_of_failure(&err);
        return status_of_failure(&err);
    }
    status = status_of_answer(ret_answer);
    if (status == STATUS_DONE && !ret_answer->json)
        status = STATUS_FAILED;
    if (status != STATUS_DONE)
        complain_of_answer(cli, ret_answer);
    return status;
}

enum status ask_path(struct cli *cli, const char *method, const char *path,
                     struct answer *ret_answer)
{
    return ask_request(cli, &(struct request){.method = method, .path = path}, ret_answer);
}

enum status ask(struct cli *cli, const char *method, const struct text *path,
                struct answer *ret_answer)
{
    *ret_answer = (struct answer){0};
    if (path->failed) {
        complain("%s", strerror(ENOMEM));
        return STATUS_FAILED;
    }
    return ask_path(cli, method, path->data, ret_answer);
}

/* A reader of our output that has gone: end as its absence ends other programs, without a word. */
enum status status_of_output(int error)
{
    if (error == EPIPE) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
        return STATUS_FAILED; /* only when SIGPIPE is blocked */
    }
    if (interrupted())
        return STATUS_INTERRUPTED;
    complain("cannot write: %s", strerror(error));
    return STATUS_FAILED;
}

void print_body(const struct answer *answer)
{
    fwrite(answer->body.data, 1, answer->body.len, stdout);
    if (answer->body.len > 0 && answer->body.data[answer->body.len - 1] != '\n')
        putchar('\n');
}

bool check_name(const char *name)
{
    if (service_name_valid(name))
        return true;
    complain("\"%s\" cannot be the name of a service", name);
    return false;
}

int64_t parse_id(const char *word)
{
    int64_t id;

    if (units_parse_int(word, &id) == 0 && id > 0)
        return id;
    complain("\"%s\" is not the number of an operation, a whole number above 0", word);
    return 0;
}

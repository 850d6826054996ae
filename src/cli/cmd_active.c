/* is-active, pid: what scripts ask, said by the exit status. */
#include "ask.h"
#include "fields.h"
#include "services.h"
#include "subcommands.h"

static void print_state(const json_t *service)
{
    harmless_print(stdout, field_string(service, "name"));
    printf(": ");
    harmless_print(stdout, field_string(service, "state"));
    putchar('\n');
}

enum status cmd_is_active(struct cli *cli)
{
    const struct options *o = &cli->options;
    struct answer answer;
    json_t *chosen, *service;
    enum status status = services_ask(cli, o->words + 1, o->count - 1, &answer, &chosen);
    size_t i;

    if (chosen && status == STATUS_REFUSED)
        status = STATUS_NOT_RUNNING; /* its file is refused: it does not run */
    json_array_foreach(chosen, i, service)
    {
        if (!service_is_running(service))
            status = status_worse(status, STATUS_NOT_RUNNING);
        if (!option_given(o, OPTION_QUIET))
            print_state(service);
    }
    json_decref(chosen);
    answer_deinit(&answer);
    return status;
}

enum status cmd_pid(struct cli *cli)
{
    const char *name = cli->options.words[1];
    struct text path = {0};
    struct answer answer;
    enum status status;

    if (!check_name(name))
        return STATUS_UNKNOWN;
    text_append(&path, "/status/");
    path_append(&path, name);
    status = ask(cli, "GET", &path, &answer);
    text_deinit(&path);
    if (status == STATUS_DONE && field_given(answer.json, "pid")) {
        printf("%lld\n", (long long)field_int(answer.json, "pid"));
    } else if (status == STATUS_DONE) {
        complain("%s has no process: it is %s", name, field_string(answer.json, "state"));
        status = STATUS_NOT_RUNNING;
    } else if (status == STATUS_REFUSED) {
        status = STATUS_NOT_RUNNING;
    }
    answer_deinit(&answer);
    return status;
}

/* history: operations of late, newest first. */
#include "ask.h"
#include "cli.h"
#include "record.h"

#include <inttypes.h>

#define DEFAULT_COUNT 20
#define MOST          1000 /* as many as the daemon gives at once */

static void build_path(const struct options *o, struct text *path)
{
    text_appendf(path, "/operations?limit=%" PRId64,
                 option_given(o, OPTION_LINES) ? o->lines : DEFAULT_COUNT);
    if (o->count > 1) {
        text_append(path, "&service=");
        path_append(path, o->words[1]);
    }
}

enum status cmd_history(struct cli *cli)
{
    const struct options *o = &cli->options;
    struct text path = {0};
    struct answer answer;
    enum status status;

    if (o->count > 1 && !check_name(o->words[1]))
        return STATUS_UNKNOWN;
    if (option_given(o, OPTION_LINES) && (o->lines < 1 || o->lines > MOST)) {
        complain("-n: from 1 to %d operations at once", MOST);
        return STATUS_USAGE;
    }
    build_path(o, &path);
    status = ask(cli, "GET", &path, &answer);
    if (status == STATUS_DONE && option_given(o, OPTION_JSON))
        print_body(&answer);
    else if (status == STATUS_DONE && json_array_size(record_list(answer.json)) == 0)
        puts("no operations yet");
    else if (status == STATUS_DONE)
        record_print_history(record_list(answer.json), &cli->screen);
    answer_deinit(&answer);
    text_deinit(&path);
    return status;
}

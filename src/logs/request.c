#include "request.h"

#include "capture.h"
#include "rotate.h"

#include <errno.h>
#include <stdlib.h>

struct request {
    struct list link;
    struct log *log;
    log_rotate_done *done;
    void *context;
};

int logs_rotate(struct logs *logs, const char *service, log_rotate_done *done, void *context)
{
    struct request *request = malloc(sizeof *request);
    int result = -ENOENT;

    if (!request)
        return -ENOMEM;
    *request = (struct request){.done = done, .context = context};
    logs_lock(logs);
    request->log = logs_find(logs, service);
    if (logs->stopping)
        result = -ESHUTDOWN;
    else if (request->log)
        result = 0;
    if (result == 0)
        list_append(&logs->rotations, &request->link);
    logs_unlock(logs);
    if (result < 0)
        free(request);
    else
        logs_wake(logs);
    return result;
}

static int rotate(struct log *log)
{
    struct settings s;
    int result = 0;

    log_settings(log, &s);
    for (int stream = 0; stream < STREAMS; stream++) {
        struct channel *ch = log_channel(log, (enum stream)stream);
        int of_this;

        if (!ch)
            continue;
        capture_drain(ch); /* what was written before it was asked for belongs to the old file */
        of_this = rotate_when_possible(ch, &s);
        if (result == 0)
            result = of_this;
    }
    return result;
}

bool request_answer(struct logs *logs)
{
    struct list asked;

    list_init(&asked);
    logs_lock(logs);
    list_take_all(&asked, &logs->rotations);
    logs_unlock(logs);
    if (list_empty(&asked))
        return false;
    list_for_each_safe(link, &asked)
    {
        struct request *request = list_entry(link, struct request, link);

        request->done(request->context, rotate(request->log));
        free(request);
    }
    return true;
}

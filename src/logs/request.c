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

/* A failure says more than what was done, and that more than that there was nothing to do. */
static int worse(int a, int b)
{
    if (a == -ENODATA || (a == 0 && b != -ENODATA))
        return b;
    return a;
}

static int rotate(struct log *log)
{
    struct settings s;
    int result = -ENODATA;

    log_settings(log, &s);
    for (int stream = 0; stream < STREAMS; stream++) {
        struct channel *ch = log_channel(log, (enum stream)stream);

        if (!ch)
            continue;
        capture_drain(ch); /* what was written before it was asked for belongs to the old file */
        result = worse(result, rotate_when_possible(ch, &s));
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

/* Giving an operation up: a queued one ends here, a running one in its service's turn.
 * Threads: any. */
#include "end.h"
#include "supervisor_private.h"

#include <stdio.h>
#include <string.h>

enum cancel_result supervisor_cancel(struct supervisor *supervisor, int64_t id,
                                     const struct identity *who, struct operation *ret_operation)
{
    struct op *op = op_index_find(&supervisor->host.operations, id);
    enum cancel_result result = CANCEL_TOO_LATE;
    char detail[IDENTITY_MAX + 32];
    struct error err;

    if (!op)
        return supervisor_find(supervisor, id, ret_operation, &err) == FIND_FOUND ? CANCEL_TOO_LATE
                                                                                  : CANCEL_UNKNOWN;
    if (!service_visible(op)) {
        op_unref(op);
        return CANCEL_UNKNOWN;
    }
    snprintf(detail, sizeof detail, "cancelled by %s", who->name);
    if (op_automatic(op)) /* the supervisor relies on its own: a stop ends what it wants */
        result = CANCEL_NOT_YOURS;
    else if (op_cancel_queued(op, detail))
        result = CANCEL_DONE;
    else if (service_post_cancel(op->service, op, strdup(detail)))
        result = CANCEL_ASKED;
    if (service_copy_operation(op, ret_operation) < 0)
        result = CANCEL_UNKNOWN;
    op_unref(op);
    return result;
}

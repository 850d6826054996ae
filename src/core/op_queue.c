#include "op_queue.h"

void op_queue_init(struct op_queue *queue)
{
    *queue = (struct op_queue){0};
    list_init(&queue->ops);
}

void op_queue_push(struct op_queue *queue, struct op *op)
{
    list_append(&queue->ops, &op->link);
    queue->length++;
    queue->people += !op_automatic(op);
}

void op_queue_remove(struct op_queue *queue, struct op *op)
{
    list_remove(&op->link);
    queue->length--;
    queue->people -= !op_automatic(op);
}

struct op *op_queue_head(const struct op_queue *queue)
{
    return list_empty(&queue->ops) ? NULL : list_entry(queue->ops.next, struct op, link);
}

int op_queue_position(const struct op_queue *queue, const struct op *op)
{
    int before = 0;

    list_for_each(link, &queue->ops)
    {
        if (link == &op->link)
            break;
        before++;
    }
    return before;
}

struct op *op_queue_automatic_start(const struct op_queue *queue)
{
    list_for_each(link, &queue->ops)
    {
        struct op *op = list_entry(link, struct op, link);

        if (op_automatic_start(op))
            return op;
    }
    return NULL;
}

struct op *op_queue_first_committed(const struct op_queue *queue)
{
    list_for_each(link, &queue->ops)
    {
        struct op *op = list_entry(link, struct op, link);

        if (op->committed)
            return op;
    }
    return NULL;
}

bool op_queue_stop_waits(const struct op_queue *queue)
{
    list_for_each(link, &queue->ops)
    {
        struct op *op = list_entry(link, struct op, link);

        if (op->committed && !op_automatic(op) && op->record.action == ACTION_STOP)
            return true;
    }
    return false;
}

#include "op_queue.h"

void op_queue_init(struct op_queue *queue)
{
    *queue = (struct op_queue){0};
    list_init(&queue->ops);
}

static struct op *at(struct list *link)
{
    return list_entry(link, struct op, link);
}

static void insert_after(struct op_queue *queue, struct list *before, struct op *op)
{
    list_append(before->next, &op->link);
    queue->length++;
    queue->people += !op_automatic(op);
}

void op_queue_push(struct op_queue *queue, struct op *op)
{
    insert_after(queue, queue->ops.prev, op);
}

void op_queue_remove(struct op_queue *queue, struct op *op)
{
    list_remove(&op->link);
    queue->length--;
    queue->people -= !op_automatic(op);
}

struct op *op_queue_head(const struct op_queue *queue)
{
    return list_empty(&queue->ops) ? NULL : at(queue->ops.next);
}

int op_queue_position(const struct op_queue *queue, const struct op *op)
{
    const struct op *stands = op->joined_to ? op->joined_to : op;
    int before = 0;

    list_for_each(link, &queue->ops)
    {
        if (link == &stands->link)
            return before;
        before++;
    }
    return 0; /* what it joined runs */
}

/* ---- joining ---- */

static bool same(const struct operation *a, const struct operation *b)
{
    return a->action == b->action && a->timeout_us == b->timeout_us && a->signal == b->signal;
}

struct op *op_queue_joinable(const struct op_queue *queue, const struct op *op)
{
    struct op *last = list_empty(&queue->ops) ? NULL : at(queue->ops.prev);

    return last && !op_automatic(last) && !last->joining_closed && !last->resumed &&
                   same(&last->record, &op->record)
               ? last
               : NULL;
}

void op_join(struct op *target, struct op *op)
{
    op->joined_to = target;
    op->record.coalesced_into = target->record.id;
    list_append(&target->joined, &op->link);
}

bool op_leave(struct op *op)
{
    if (!op->joined_to)
        return false;
    list_remove(&op->link);
    op->joined_to = NULL;
    op->record.coalesced_into = 0;
    return true;
}

void op_queue_promote(struct op_queue *queue, struct op *op)
{
    struct op *first = list_empty(&op->joined) ? NULL : at(op->joined.next);
    struct list *before = op->link.prev;

    op_queue_remove(queue, op);
    if (!first)
        return;
    op_leave(first);
    insert_after(queue, before, first);
    list_for_each_safe(link, &op->joined)
    {
        struct op *other = at(link);

        op_leave(other);
        op_join(first, other);
    }
}

void op_queue_part(struct op_queue *queue, struct op *op)
{
    struct op *last = op;

    list_for_each_safe(link, &op->joined)
    {
        struct op *other = at(link);

        if (other->committed)
            continue;
        op_leave(other);
        insert_after(queue, &last->link, other);
        last = other;
    }
}

bool op_all_committed(const struct op *op)
{
    if (!op->committed)
        return false;
    list_for_each(link, &op->joined) if (!at(link)->committed) return false;
    return true;
}

/* ---- looking ---- */

struct op *op_queue_automatic_start(const struct op_queue *queue)
{
    list_for_each(link, &queue->ops) if (op_automatic_start(at(link))) return at(link);
    return NULL;
}

struct op *op_queue_first_committed(const struct op_queue *queue)
{
    list_for_each(link, &queue->ops) if (at(link)->committed) return at(link);
    return NULL;
}

bool op_queue_stop_waits(const struct op_queue *queue)
{
    list_for_each(link, &queue->ops)
    {
        struct op *op = at(link);

        if (op->committed && !op_automatic(op) && op->record.action == ACTION_STOP)
            return true;
    }
    return false;
}

struct op *op_queue_replacer(const struct op_queue *queue)
{
    for (struct list *link = queue->ops.prev; link != &queue->ops; link = link->prev)
        if (at(link)->committed && at(link)->record.replaces)
            return at(link);
    return NULL;
}

int action_goal(enum action action)
{
    switch (action) {
    case ACTION_START:
    case ACTION_RESTART: return GOAL_UP;
    case ACTION_STOP: return GOAL_DOWN;
    case ACTION_RELOAD:
    case ACTION_SIGNAL: return -1;
    }
    __builtin_unreachable();
}

int op_queue_goal(const struct op_queue *queue)
{
    for (struct list *link = queue->ops.prev; link != &queue->ops; link = link->prev)
        if (action_goal(at(link)->record.action) >= 0)
            return action_goal(at(link)->record.action);
    return -1;
}

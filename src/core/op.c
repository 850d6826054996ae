#include "op.h"

#include "base/fault.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct lock_class op_index_lock_class;

static void op_index_lock(struct op_index *i) ACQUIRE(op_index_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&i->lock);
}

static void op_index_unlock(struct op_index *i) RELEASE(op_index_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&i->lock);
}

struct op *op_new(struct service *service, const char *service_name, enum action action,
                  enum origin origin, const char *requested_by, int64_t timeout_us)
{
    struct op *op = FAULT(operation_new) ? NULL : calloc(1, sizeof *op);

    if (!op)
        return NULL;
    op->service = service;
    op->references = 1;
    op->record.action = action;
    op->record.origin = origin;
    op->record.timeout_us = timeout_us;
    op->record.durable = true;
    snprintf(op->record.service, sizeof op->record.service, "%s", service_name);
    snprintf(op->record.requested_by, sizeof op->record.requested_by, "%s", requested_by);
    list_init(&op->link);
    list_init(&op->joined);
    list_init(&op->announce_link);
    list_init(&op->waiters);
    list_init(&op->settled_waiters);
    return op;
}

struct op *op_ref(struct op *op)
{
    atomic_fetch_add_explicit(&op->references, 1, memory_order_relaxed);
    return op;
}

void op_unref(struct op *op)
{
    if (!op || atomic_fetch_sub_explicit(&op->references, 1, memory_order_acq_rel) != 1)
        return;
    list_for_each_safe(link, &op->joined)
    {
        list_remove(link);
        op_unref(list_entry(link, struct op, link));
    }
    operation_deinit(&op->record);
    free(op);
}

void op_index_init(struct op_index *index) NO_THREAD_SAFETY_CHECK
{
    lock_init(&index->lock, LOCK_OP_INDEX);
    for (size_t i = 0; i < OP_INDEX_BUCKETS; i++)
        index->buckets[i] = NULL;
}

void op_index_deinit(struct op_index *index) NO_THREAD_SAFETY_CHECK
{
    for (size_t i = 0; i < OP_INDEX_BUCKETS; i++)
        while (index->buckets[i]) {
            struct op *op = index->buckets[i];

            index->buckets[i] = op->next;
            op_unref(op);
        }
    lock_deinit(&index->lock);
}

static size_t bucket(int64_t id)
{
    return (size_t)id % OP_INDEX_BUCKETS;
}

void op_index_add(struct op_index *index, struct op *op)
{
    size_t b = bucket(op->record.id);

    op_ref(op);
    op_index_lock(index);
    op->next = index->buckets[b];
    index->buckets[b] = op;
    op_index_unlock(index);
}

void op_index_remove(struct op_index *index, struct op *op)
{
    bool found = false;

    op_index_lock(index);
    for (struct op **at = &index->buckets[bucket(op->record.id)]; *at; at = &(*at)->next)
        if (*at == op) {
            *at = op->next;
            found = true;
            break;
        }
    op_index_unlock(index);
    if (found)
        op_unref(op);
}

struct op *op_index_find(struct op_index *index, int64_t id)
{
    struct op *op;

    op_index_lock(index);
    for (op = index->buckets[bucket(id)]; op; op = op->next)
        if (op->record.id == id)
            break;
    if (op)
        op_ref(op);
    op_index_unlock(index);
    return op;
}

int op_index_all(struct op_index *index, struct op ***ret_ops, size_t *ret_count)
{
    struct op **ops = NULL;
    size_t count = 0, capacity = 0;
    int result = 0;

    op_index_lock(index);
    for (size_t i = 0; i < OP_INDEX_BUCKETS && result == 0; i++)
        for (struct op *op = index->buckets[i]; op; op = op->next) {
            if (count == capacity) {
                struct op **grown = realloc(ops, (capacity = capacity * 2 + 64) * sizeof *ops);

                if (!grown) {
                    result = -ENOMEM;
                    break;
                }
                ops = grown;
            }
            ops[count++] = op_ref(op);
        }
    op_index_unlock(index);
    if (result < 0) {
        while (count > 0)
            op_unref(ops[--count]);
        free(ops);
        return result;
    }
    *ret_ops = ops;
    *ret_count = count;
    return 0;
}

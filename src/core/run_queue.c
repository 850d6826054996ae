#include "run_queue.h"

#include <errno.h>
#include <stdlib.h>

/* Turns of what people have asked for that pass one of the rest. */
#define PASS_MOST 8

struct lock_class run_queue_lock_class;

static void run_queue_lock(struct run_queue *q) ACQUIRE(run_queue_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&q->lock);
}

static void run_queue_unlock(struct run_queue *q)
    RELEASE(run_queue_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&q->lock);
}

void run_queue_init(struct run_queue *q) NO_THREAD_SAFETY_CHECK
{
    *q = (struct run_queue){0};
    lock_init(&q->lock, LOCK_RUN_QUEUE);
    cond_init(&q->filled);
    list_init(&q->asked_for);
    list_init(&q->waiting);
}

void run_queue_deinit(struct run_queue *q)
{
    cond_deinit(&q->filled);
    lock_deinit(&q->lock);
}

/* NULL: none waits. */
static struct run_item *take_first(struct run_queue *q) REQUIRES(run_queue_lock_class)
{
    bool pass = !list_empty(&q->asked_for) && (list_empty(&q->waiting) || q->passed < PASS_MOST);
    struct list *from = pass ? &q->asked_for : &q->waiting;
    struct run_item *item;

    if (list_empty(from))
        return NULL;
    q->passed = pass && !list_empty(&q->waiting) ? q->passed + 1 : 0;
    item = list_entry(from->next, struct run_item, link);
    list_remove(&item->link);
    return item;
}

/* The next one, or NULL when the queue was closed. */
static struct run_item *next(struct run_queue *q)
{
    struct run_item *item = NULL;

    run_queue_lock(q);
    while (!q->closed && !(item = take_first(q)))
        cond_wait(&q->filled, &q->lock);
    run_queue_unlock(q);
    return item;
}

static void *work(void *argument)
{
    struct run_queue *q = argument;
    struct run_item *item;

    while ((item = next(q)))
        item->run(item);
    return NULL;
}

int run_queue_start(struct run_queue *q, unsigned workers, struct error *err)
{
    int result;

    q->workers = calloc(workers, sizeof *q->workers);
    if (!q->workers)
        return error_set(err, -ENOMEM, "start the workers: %m");
    for (unsigned i = 0; i < workers; i++) {
        result = thread_start(&q->workers[i], "worker", work, q);
        if (result < 0) {
            run_queue_stop(q);
            return error_set(err, result, "start worker %u: %m", i);
        }
        q->worker_count++;
    }
    return 0;
}

void run_queue_add(struct run_queue *q, struct run_item *item)
{
    run_queue_lock(q);
    list_append(item->asked_for ? &q->asked_for : &q->waiting, &item->link);
    run_queue_unlock(q);
    cond_signal(&q->filled); /* after the lock, so that the worker does not meet it at once */
}

void run_queue_stop(struct run_queue *q)
{
    run_queue_lock(q);
    q->closed = true;
    cond_broadcast(&q->filled);
    run_queue_unlock(q);
    for (unsigned i = 0; i < q->worker_count; i++)
        pthread_join(q->workers[i], NULL);
    free(q->workers);
    q->workers = NULL;
    q->worker_count = 0;
}

#include "keys.h"

#include "journal/journal.h"

#include <stdlib.h>
#include <string.h>

struct lock_class keys_lock_class;

struct waiter {
    struct list link;
    accept_done *done;
    void *context;
};

struct key_claim {
    struct list link, waiters;
    char *identity, *key, *request;
    int64_t operation; /* 0: not answered yet */
    bool batch;
};

static void keys_lock(struct keys *k) ACQUIRE(keys_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&k->lock);
}

static void keys_unlock(struct keys *k) RELEASE(keys_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&k->lock);
}

void keys_init(struct keys *keys) NO_THREAD_SAFETY_CHECK
{
    lock_init(&keys->lock, LOCK_KEYS);
    list_init(&keys->claims);
}

static void claim_free(struct key_claim *claim)
{
    if (!claim)
        return;
    free(claim->identity);
    free(claim->key);
    free(claim->request);
    free(claim);
}

void keys_deinit(struct keys *keys) NO_THREAD_SAFETY_CHECK
{
    list_for_each_safe(link, &keys->claims)
    {
        list_remove(link);
        claim_free(list_entry(link, struct key_claim, link));
    }
    lock_deinit(&keys->lock);
}

static struct key_claim *claim_new(const char *identity, const char *key, const char *request)
{
    struct key_claim *claim = calloc(1, sizeof *claim);

    if (!claim)
        return NULL;
    list_init(&claim->link);
    list_init(&claim->waiters);
    claim->identity = strdup(identity);
    claim->key = strdup(key);
    claim->request = strdup(request);
    if (claim->identity && claim->key && claim->request)
        return claim;
    claim_free(claim);
    return NULL;
}

static struct key_claim *find(struct keys *keys, const struct key_claim *like)
    REQUIRES(keys_lock_class)
{
    list_for_each(link, &keys->claims)
    {
        struct key_claim *claim = list_entry(link, struct key_claim, link);

        if (strcmp(claim->key, like->key) == 0 && strcmp(claim->identity, like->identity) == 0)
            return claim;
    }
    return NULL;
}

enum claim_result keys_claim(struct keys *keys, const char *identity, const char *key,
                             const char *request, accept_done *done, void *context,
                             struct key_claim **ret_claim, int64_t *ret_operation, bool *ret_batch)
{
    struct key_claim *mine = claim_new(identity, key, request), *there;
    struct waiter *waiter = malloc(sizeof *waiter);
    enum claim_result result = CLAIM_MINE;

    if (!mine || !waiter) {
        claim_free(mine);
        free(waiter);
        return CLAIM_NO_MEMORY;
    }
    *waiter = (struct waiter){.done = done, .context = context};
    *ret_operation = 0;
    keys_lock(keys);
    there = find(keys, mine);
    if (!there) {
        list_append(&keys->claims, &mine->link);
    } else {
        *ret_operation = there->operation;
        *ret_batch = there->batch;
        result = strcmp(there->request, request) != 0 ? CLAIM_REUSED
                 : there->operation                   ? CLAIM_ANSWERED
                                                      : CLAIM_WAITS;
        if (result == CLAIM_WAITS)
            list_append(&there->waiters, &waiter->link);
    }
    keys_unlock(keys);
    if (result != CLAIM_WAITS)
        free(waiter);
    if (result == CLAIM_MINE)
        *ret_claim = mine;
    else
        claim_free(mine);
    return result;
}

void keys_answer(struct keys *keys, struct key_claim *claim, const struct acceptance *acceptance)
{
    int64_t operation = acceptance->batch       ? acceptance->batch
                        : acceptance->count > 0 ? acceptance->operations[0].id
                                                : 0;
    struct list waiters;

    if (!claim)
        return;
    list_init(&waiters);
    keys_lock(keys);
    list_take_all(&waiters, &claim->waiters);
    claim->operation = operation;
    claim->batch = acceptance->batch != 0;
    if (!operation)
        list_remove(&claim->link); /* refusals are not remembered */
    keys_unlock(keys);
    list_for_each_safe(link, &waiters)
    {
        struct waiter *waiter = list_entry(link, struct waiter, link);

        waiter->done(waiter->context, acceptance);
        free(waiter);
    }
}

void keys_forget(struct keys *keys, struct key_claim *claim)
{
    if (!claim)
        return;
    keys_lock(keys);
    list_remove(&claim->link);
    keys_unlock(keys);
    claim_free(claim);
}

void key_claim_record(const struct key_claim *claim, struct journal_key *ret_key)
{
    *ret_key = (struct journal_key){
        .identity = claim->identity, .key = claim->key, .request = claim->request};
}

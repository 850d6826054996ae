/* keys - Idempotency-Keys whose request is on its way: of two at once one wins, and the other waits
 * for what it is told. Keys that are in the journal are not kept here.
 * Threads: any. Ownership: a claim belongs to who made it, until keys_forget(). */
#pragma once

#include "base/list.h"
#include "base/lock.h"
#include "core/supervisor.h"

extern struct lock_class keys_lock_class;

struct keys {
    struct lock lock;
    struct list claims GUARDED_BY(keys_lock_class);
};

void keys_init(struct keys *keys);
void keys_deinit(struct keys *keys);

struct key_claim;
enum claim_result {
    CLAIM_MINE,     /* *ret_claim: answer it and forget it */
    CLAIM_WAITS,    /* the same request is on its way: done will be called as its own is */
    CLAIM_ANSWERED, /* the same request was accepted, but is not in the journal yet */
    CLAIM_REUSED,   /* another request uses the key: *ret_operation, or 0 while it is on its way */
    CLAIM_NO_MEMORY,
};
enum claim_result keys_claim(struct keys *keys, const char *identity, const char *key,
                             const char *request, accept_done *done, void *context,
                             struct key_claim **ret_claim, int64_t *ret_operation, bool *ret_batch)
    EXCLUDES(keys_lock_class);
/* Tells those who wait. */
void keys_answer(struct keys *keys, struct key_claim *claim, const struct acceptance *acceptance)
    EXCLUDES(keys_lock_class);
/* The key is in the journal, or was never used after all. NULL is fine. */
void keys_forget(struct keys *keys, struct key_claim *claim) EXCLUDES(keys_lock_class);
/* For the journal; lives as long as the claim. */
struct journal_key;
void key_claim_record(const struct key_claim *claim, struct journal_key *ret_key);

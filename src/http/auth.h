/* auth - who asks: the peer's credentials on the Unix socket, a bearer token over TCP; and whether
 * we are meant, and not some page's idea of us.
 * Threads: any; one lock (a leaf) guards the tokens. Ownership: auth_deinit(). */
#pragma once

#include "base/lock.h"
#include "tokens.h"

#include <stdatomic.h>

struct exchange;

extern struct lock_class auth_lock_class;

struct auth {
    struct lock lock;
    struct tokens tokens GUARDED_BY(auth_lock_class);
    atomic_uint revoked; /* how often a reading has taken a token away */
};

/* What a listener has refused and not said yet: it says so once a second at most. */
struct refusals {
    _Atomic int64_t said_mono; /* 0: never */
    atomic_uint unsaid;
};

void auth_init(struct auth *auth);
void auth_deinit(struct auth *auth);
/* Reads the token file; the old tokens stay when it is wrong (what is said by err, where by
 * *ret_line). */
int auth_load(struct auth *auth, const char *path, int *ret_line, struct error *err)
    EXCLUDES(auth_lock_class);
/* Sets x->who; false: the problem is said. */
bool auth_identify(struct exchange *x) EXCLUDES(auth_lock_class);
/* Whether the request was meant for us (Host, over TCP) and comes from no foreign page (Origin,
 * Sec-Fetch-Site; what anybody may ask is not looked at); false: the problem is said. */
bool auth_check_host(struct exchange *x);

/* lookup - the user and group databases.
 * Threads: any (the _r calls). Ownership: lookup_user_deinit(). */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct user {
    char *name, *home;
    uid_t uid;
    gid_t gid;
};

void lookup_user_deinit(struct user *user);
/* By name, or by number when no name fits; 0, -ENOENT (not known), or another -errno with err. */
int lookup_user(const char *text, struct user *ret_user, struct error *err);
int lookup_uid(uid_t uid, struct user *ret_user, struct error *err);
/* A number need not be known to be a group. */
int lookup_group(const char *text, gid_t *ret_gid, struct error *err);
/* Every group of a user, gid among them. The caller frees. */
int lookup_groups_of(const char *user, gid_t gid, gid_t **ret_groups, size_t *ret_count);
/* The number that text is; false: it is none. */
bool lookup_number(const char *text, uint32_t *ret_id);

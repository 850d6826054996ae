#include "lookup.h"

#include "base/cleanup.h"
#include "base/units.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#define BUFFER_FIRST 4096
#define BUFFER_MOST  (1u << 20)
#define GROUPS_MOST  65536

void lookup_user_deinit(struct user *user)
{
    free(user->name);
    free(user->home);
    *user = (struct user){0};
}

bool lookup_number(const char *text, uint32_t *ret_id)
{
    int64_t number;

    if (units_parse_int(text, &number) < 0 || number < 0 || number >= UINT32_MAX)
        return false;
    *ret_id = (uint32_t)number;
    return true;
}

/* These all mean that nobody has that name: see getpwnam(3). */
static bool not_known(int error)
{
    return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

static int copy_user(const struct passwd *found, struct user *ret_user, struct error *err)
{
    struct user user = {.uid = found->pw_uid, .gid = found->pw_gid};

    user.name = strdup(found->pw_name);
    user.home = strdup(found->pw_dir);
    if (!user.name || !user.home) {
        lookup_user_deinit(&user);
        return error_set(err, -ENOMEM, "%m");
    }
    *ret_user = user;
    return 0;
}

/* By name, or by uid when name is NULL. */
static int find_user(const char *name, uid_t uid, struct user *ret_user, struct error *err)
{
    for (size_t size = BUFFER_FIRST; size <= BUFFER_MOST; size *= 4) {
        CLEANUP(freep) char *buffer = malloc(size);
        struct passwd user, *found = NULL;
        int error;

        if (!buffer)
            return error_set(err, -ENOMEM, "%m");
        error = name ? getpwnam_r(name, &user, buffer, size, &found)
                     : getpwuid_r(uid, &user, buffer, size, &found);
        if (found)
            return copy_user(found, ret_user, err);
        if (error == ERANGE)
            continue;
        return not_known(error) ? -ENOENT : error_set(err, -error, "look up a user: %m");
    }
    return error_set(err, -ERANGE, "look up a user: %m");
}

int lookup_uid(uid_t uid, struct user *ret_user, struct error *err)
{
    return find_user(NULL, uid, ret_user, err);
}

int lookup_user(const char *text, struct user *ret_user, struct error *err)
{
    int r = find_user(text, 0, ret_user, err);
    uid_t uid;

    return r == -ENOENT && lookup_number(text, &uid) ? lookup_uid(uid, ret_user, err) : r;
}

int lookup_group(const char *text, gid_t *ret_gid, struct error *err)
{
    for (size_t size = BUFFER_FIRST; size <= BUFFER_MOST; size *= 4) {
        CLEANUP(freep) char *buffer = malloc(size);
        struct group group, *found = NULL;
        int error;

        if (!buffer)
            return error_set(err, -ENOMEM, "%m");
        error = getgrnam_r(text, &group, buffer, size, &found);
        if (found) {
            *ret_gid = found->gr_gid;
            return 0;
        }
        if (error == ERANGE)
            continue;
        if (!not_known(error))
            return error_set(err, -error, "look up a group: %m");
        return lookup_number(text, ret_gid) ? 0 : -ENOENT;
    }
    return error_set(err, -ERANGE, "look up a group: %m");
}

int lookup_groups_of(const char *user, gid_t gid, gid_t **ret_groups, size_t *ret_count)
{
    for (int room = 64;;) {
        CLEANUP(freep) gid_t *groups = calloc((size_t)room, sizeof *groups);
        int count = room;

        if (!groups)
            return -ENOMEM;
        if (getgrouplist(user, gid, groups, &count) >= 0) {
            *ret_groups = take(groups);
            *ret_count = (size_t)count;
            return 0;
        }
        if (room == GROUPS_MOST)
            return -E2BIG;
        room = room * 4 < GROUPS_MOST ? room * 4 : GROUPS_MOST;
    }
}

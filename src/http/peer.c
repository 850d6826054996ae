#include "peer.h"

#include "base/cleanup.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define USUAL_GROUPS 64

static bool holds(const gid_t *groups, size_t count, gid_t group)
{
    for (size_t i = 0; i < count; i++)
        if (groups[i] == group)
            return true;
    return false;
}

/* The groups that it had when it connected. Who has more than is usual is asked again. */
static int in_group(int fd, gid_t group, bool *ret_member, struct error *err)
{
    CLEANUP(freep) gid_t *more = NULL;
    gid_t usual[USUAL_GROUPS], *groups = usual;
    socklen_t size = sizeof usual;
    int result = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size);

    if (result < 0 && errno == ERANGE) {
        groups = more = malloc(size);
        if (!more)
            return error_set(err, -ENOMEM, "%m");
        result = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size);
    }
    if (result < 0)
        return error_set(err, -errno, "groups of the peer: %m");
    *ret_member = holds(groups, size / sizeof *groups, group);
    return 0;
}

static int may_enter(int fd, const struct ucred *peer, gid_t group, bool *ret_may,
                     struct error *err)
{
    *ret_may = peer->uid == 0 || peer->uid == geteuid();
    if (*ret_may || group == NO_GROUP)
        return 0;
    *ret_may = peer->gid == group;
    return *ret_may ? 0 : in_group(fd, group, ret_may, err);
}

int peer_identify(int fd, gid_t group, struct identity *ret_identity, struct error *err)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    bool may = false;
    int result;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return error_set(err, -errno, "credentials of the peer: %m");
    result = may_enter(fd, &peer, group, &may, err);
    if (result < 0)
        return result;
    snprintf(ret_identity->name, sizeof ret_identity->name, "uid:%u", peer.uid);
    ret_identity->role = may ? ROLE_ADMIN : ROLE_NONE;
    return 0;
}

void peer_describe(int fd, char text[static 64])
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    struct ucred peer;
    char host[48], port[8];

    snprintf(text, 64, "somebody");
    if (getpeername(fd, (struct sockaddr *)&address, &size) < 0)
        return;
    if (address.ss_family == AF_UNIX) {
        size = sizeof peer;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
            snprintf(text, 64, "uid:%u", peer.uid);
    } else if (getnameinfo((struct sockaddr *)&address, size, host, sizeof host, port, sizeof port,
                           NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
        snprintf(text, 64, address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    }
}

#include "listen.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/file.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define BACKLOG 1024

static int set_address(const char *path, struct sockaddr_un *address, struct error *err)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path)
        return error_set(err, -ENAMETOOLONG, "socket %s: the path may have at most %zu bytes", path,
                         sizeof address->sun_path - 1);
    strcpy(address->sun_path, path);
    return 0;
}

/* Removes what a daemon that was killed has left. */
static int clear_stale(const struct sockaddr_un *address, struct error *err)
{
    const char *path = address->sun_path;
    CLEANUP(closep) int fd = -1;
    struct stat st;

    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : error_set(err, -errno, "look at socket %s: %m", path);
    if (!S_ISSOCK(st.st_mode))
        return error_set(err, -EEXIST, "socket %s: there is a file that is not a socket", path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_set(err, -errno, "make a socket: %m");
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN)
        return error_set(err, -EADDRINUSE, "another program listens on %s", path);
    if (errno != ECONNREFUSED)
        return error_set(err, -errno, "whether another program listens on %s: %m", path);
    if (unlink(path) < 0 && errno != ENOENT)
        return error_set(err, -errno, "remove the old socket %s: %m", path);
    return 0;
}

static int find_group(const char *name, gid_t *ret_gid, struct error *err)
{
    struct group group, *found = NULL;
    char buffer[16384];
    int result = getgrnam_r(name, &group, buffer, sizeof buffer, &found);

    if (!found)
        return error_set(err, result ? -result : -ENOENT, "group = %s: there is no such group",
                         name);
    *ret_gid = found->gr_gid;
    return 0;
}

/* Until everything is set only its owner gets in. */
static int open_to_group(const char *path, const char *group, struct error *err)
{
    gid_t gid;
    int result;

    if (group) {
        result = find_group(group, &gid, err);
        if (result < 0)
            return result;
        if (lchown(path, (uid_t)-1, gid) < 0)
            return error_set(err, -errno, "give socket %s to group %s: %m", path, group);
    }
    if (chmod(path, 0660) < 0)
        return error_set(err, -errno, "set the mode of socket %s: %m", path);
    return 0;
}

static int make_parent(const char *path, struct error *err)
{
    CLEANUP(freep) char *folder = strdup(path);
    char *slash;

    if (!folder)
        return error_set(err, -ENOMEM, "%m");
    slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return 0;
    *slash = '\0';
    return file_make_folder(folder, 0755, err);
}

int listen_unix(const char *path, const char *group, struct handover *handover, int *ret_fd,
                struct stat *ret_stat, struct error *err)
{
    CLEANUP(closep) int fd = -1;
    struct sockaddr_un address;
    int result;

    result = set_address(path, &address, err);
    if (result == 0)
        result = make_parent(path, err);
    if (result < 0)
        return result;
    if (handover)
        fd = handover_take_socket(handover, (struct sockaddr *)&address, sizeof address);
    if (fd >= 0 && lstat(path, ret_stat) == 0 && S_ISSOCK(ret_stat->st_mode)) {
        result = open_to_group(path, group, err);
        if (result == 0)
            *ret_fd = take_fd(&fd);
        return result;
    }
    closep(&fd);
    fd = -1;
    result = clear_stale(&address, err);
    if (result < 0)
        return result;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_set(err, -errno, "make a socket: %m");
    fchmod(fd, 0600); /* Linux: the mode that bind() gives the file */
    if (FAULTS(socket_listen) || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return error_set(err, -errno, "bind socket %s: %m", path);
    result = open_to_group(path, group, err);
    if (result == 0 && (lstat(path, ret_stat) < 0 || listen(fd, BACKLOG) < 0))
        result = error_set(err, -errno, "listen on socket %s: %m", path);
    if (result < 0) {
        unlink(path);
        return result;
    }
    *ret_fd = take_fd(&fd);
    return 0;
}

/* Accepted sockets inherit it. A parked wait whose peer has vanished is noticed without our waking
 * for it; and of an answer that is not read the kernel keeps little, so that even a slow reader
 * is seen to read, and one that reads nothing costs no megabytes. */
static void set_options(int fd)
{
    int on = 1, idle = 60, interval = 15, count = 4, unsent = 128 << 10;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
}

static int bind_first(const struct addrinfo *found, const char *address, int *ret_fd,
                      struct error *err)
{
    CLEANUP(closep)
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return error_set(err, -errno, "listen = %s: make a socket: %m", address);
    set_options(fd);
    if (bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
        return errno == EADDRINUSE
                   ? error_set(err, -EADDRINUSE, "listen = %s: another program uses this port",
                               address)
                   : error_set(err, -errno, "listen = %s: %m", address);
    *ret_fd = take_fd(&fd);
    return 0;
}

int listen_tcp(const char *address, bool anywhere, struct handover *handover,
               char host[static HOSTNAME_MAX], int *ret_fd, struct error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char port[6];
    int result;

    if (!hostname_split(address, host, port) || *port == '\0')
        return error_set(err, -EINVAL,
                         "listen = %s: expected address:port, as 127.0.0.1:8700 or [::1]:8700",
                         address);
    if (!anywhere && !hostname_is_loopback(host))
        return error_set(
            err, -EINVAL,
            "listen = %s: without TLS only loopback is allowed: set tls_cert and tls_key, "
            "or allow_plain_http = yes",
            address);
    result = getaddrinfo(host, port, &hints, &found);
    if (result != 0)
        return error_set(err, -EINVAL, "listen = %s: %s", address, gai_strerror(result));
    if (handover)
        *ret_fd = handover_take_socket(handover, found->ai_addr, found->ai_addrlen);
    if (!handover || *ret_fd < 0)
        result = bind_first(found, address, ret_fd, err);
    freeaddrinfo(found);
    return result;
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer.h"

#define STRANGER 54321
#define CLUB     54322
#define ROOTED   (geteuid() == 0)

/* A socket pair that was made by somebody else; what they are is what the kernel says of it. */
static int pair_of(uid_t uid, gid_t gid, const gid_t *groups, size_t count)
{
    int way[2], pair[2], status;
    pid_t child;
    struct msghdr message;
    struct iovec byte = {.iov_base = &(char){0}, .iov_len = 1};
    char control[CMSG_SPACE(sizeof(int))] = {0};

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, way), 0);
    message = (struct msghdr){.msg_iov = &byte,
                              .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof control};
    child = fork();
    if (child == 0) {
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);

        if (setgroups(count, groups) < 0 || setgid(gid) < 0 || setuid(uid) < 0 ||
            socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
            _exit(1);
        *header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(header), &pair[0], sizeof(int));
        _exit(sendmsg(way[1], &message, 0) == 1 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(recvmsg(way[0], &message, 0), 1);
    close(way[0]);
    close(way[1]);
    memcpy(&pair[0], CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
    return pair[0];
}

static enum role role_of(int fd, gid_t group, const char *name)
{
    struct identity who;

    assert_int_equal(peer_identify(fd, group, &who, NULL), 0);
    assert_string_equal(who.name, name);
    close(fd);
    return who.role;
}

static void whoever_runs_the_daemon_is_let_in(void **state)
{
    int pair[2];
    char name[32];

    (void)state;
    snprintf(name, sizeof name, "uid:%u", geteuid());
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(role_of(pair[0], NO_GROUP, name), ROLE_ADMIN);
    close(pair[1]);
}

static void a_stranger_is_not_even_with_the_sockets_mode_opened(void **state)
{
    (void)state;
    if (!ROOTED)
        skip();
    assert_int_equal(role_of(pair_of(STRANGER, STRANGER, NULL, 0), NO_GROUP, "uid:54321"),
                     ROLE_NONE);
    assert_int_equal(role_of(pair_of(STRANGER, STRANGER, NULL, 0), CLUB, "uid:54321"), ROLE_NONE);
}

static void the_groups_members_are_by_their_first_group_or_another(void **state)
{
    gid_t groups[200];

    (void)state;
    if (!ROOTED)
        skip();
    for (size_t i = 0; i < 200; i++)
        groups[i] = (gid_t)(60000 + i);
    assert_int_equal(role_of(pair_of(STRANGER, CLUB, NULL, 0), CLUB, "uid:54321"), ROLE_ADMIN);
    assert_int_equal(role_of(pair_of(STRANGER, STRANGER, groups, 200), CLUB, "uid:54321"),
                     ROLE_NONE);
    groups[199] = CLUB;
    assert_int_equal(role_of(pair_of(STRANGER, STRANGER, groups, 200), CLUB, "uid:54321"),
                     ROLE_ADMIN);
    assert_int_equal(role_of(pair_of(STRANGER, STRANGER, groups + 199, 1), CLUB, "uid:54321"),
                     ROLE_ADMIN);
}

static void what_is_no_socket_has_no_peer(void **state)
{
    struct identity who;
    struct error err = {0};
    int way[2];

    (void)state;
    assert_int_equal(pipe(way), 0);
    assert_int_equal(peer_identify(way[0], NO_GROUP, &who, &err), -ENOTSOCK);
    close(way[0]);
    close(way[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_runs_the_daemon_is_let_in),
        cmocka_unit_test(a_stranger_is_not_even_with_the_sockets_mode_opened),
        cmocka_unit_test(the_groups_members_are_by_their_first_group_or_another),
        cmocka_unit_test(what_is_no_socket_has_no_peer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

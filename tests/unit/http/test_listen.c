#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listen.h"

static char folder[] = "/tmp/orderly-listen-XXXXXX", path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/api.sock", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void a_socket_that_nobody_listens_on_is_replaced(void **state)
{
    struct error err = {0};
    struct stat first, second;
    int fd;

    (void)state;
    assert_int_equal(listen_unix(path, NULL, NULL, &fd, &first, &err), 0);
    assert_int_equal(first.st_mode, S_IFSOCK | 0660);
    close(fd);
    assert_int_equal(listen_unix(path, NULL, NULL, &fd, &second, &err), 0);
    close(fd);
    unlink(path);
}

static void a_socket_that_somebody_listens_on_is_left_alone(void **state)
{
    struct error err = {0};
    struct stat first, second;
    int fd, other = -1;

    (void)state;
    assert_int_equal(listen_unix(path, NULL, NULL, &fd, &first, &err), 0);
    assert_int_equal(listen_unix(path, NULL, NULL, &other, &second, &err), -EADDRINUSE);
    assert_non_null(strstr(err.text, "another program listens on"));
    assert_int_equal(lstat(path, &second), 0);
    assert_true(first.st_ino == second.st_ino);
    close(fd);
    unlink(path);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
    struct error err = {0};
    struct stat st;
    FILE *f = fopen(path, "we");
    int fd;

    (void)state;
    assert_non_null(f);
    fclose(f);
    assert_int_equal(listen_unix(path, NULL, NULL, &fd, &st, &err), -EEXIST);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    unlink(path);
}

static void an_unknown_group_leaves_no_socket_behind(void **state)
{
    struct error err = {0};
    struct stat st;
    int fd;

    (void)state;
    assert_true(listen_unix(path, "no-such-group", NULL, &fd, &st, &err) < 0);
    assert_non_null(strstr(err.text, "there is no such group"));
    assert_int_equal(lstat(path, &st), -1);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    struct error err = {0};
    struct stat st;
    char longer[200] = "/tmp/";
    int fd;

    (void)state;
    memset(longer + 5, 'x', sizeof longer - 6);
    assert_int_equal(listen_unix(longer, NULL, NULL, &fd, &st, &err), -ENAMETOOLONG);
}

static void tcp_is_loopback_only_unless_said_and_a_port_in_use_is_named(void **state)
{
    struct error err = {0};
    struct sockaddr_in bound = {0};
    socklen_t len = sizeof bound;
    char host[HOSTNAME_MAX], address[64];
    int fd, other;

    (void)state;
    assert_true(listen_tcp("0.0.0.0:0", false, NULL, host, &fd, &err) < 0);
    assert_non_null(strstr(err.text, "only loopback"));
    assert_int_equal(listen_tcp("0.0.0.0:0", true, NULL, host, &fd, &err), 0);
    assert_string_equal(host, "0.0.0.0");
    close(fd);
    assert_true(listen_tcp("127.0.0.1", false, NULL, host, &fd, &err) < 0);
    assert_non_null(strstr(err.text, "expected address:port"));
    assert_int_equal(listen_tcp("127.0.0.1:0", false, NULL, host, &fd, &err), 0);
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &len), 0);
    snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(bound.sin_port));
    assert_int_equal(listen_tcp(address, false, NULL, host, &other, &err), -EADDRINUSE);
    assert_non_null(strstr(err.text, address));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_that_nobody_listens_on_is_replaced),
        cmocka_unit_test(a_socket_that_somebody_listens_on_is_left_alone),
        cmocka_unit_test(a_file_that_is_no_socket_is_left_alone),
        cmocka_unit_test(an_unknown_group_leaves_no_socket_behind),
        cmocka_unit_test(a_path_that_is_too_long_is_refused),
        cmocka_unit_test(tcp_is_loopback_only_unless_said_and_a_port_in_use_is_named),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

#include "find.h"

#include "options.h"
#include "url.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "config/config.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SYSTEM_SOCKET    "/run/orderly/api.sock"
#define TOKEN_FILE_LIMIT 65536

void target_deinit(struct target *target)
{
    free(target->socket);
    free(target->url);
    free(target->token);
    free(target->cacert);
    free(target->origin);
    *target = (struct target){0};
}

const char *target_address(const struct target *target)
{
    return target->socket ? target->socket : target->url;
}

/* An environment variable that is set and not empty. */
static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static int take_socket(struct target *t, const char *path, const char *origin, struct error *err)
{
    if (*path == '\0')
        return error_set(err, -EINVAL, "%s names no socket", origin);
    if (strlen(path) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return error_set(err, -ENAMETOOLONG, "%s: the path of a socket has at most %zu bytes: %s",
                         origin, sizeof((struct sockaddr_un *)NULL)->sun_path - 1, path);
    t->socket = strdup(path);
    t->url = strdup("http://localhost");
    t->origin = strdup(origin);
    return t->socket && t->url && t->origin ? 0 : error_set(err, -ENOMEM, "%m");
}

/* A header is one line: anything else could smuggle another one in. */
static int take_token(struct target *t, const char *token, const char *origin, struct error *err)
{
    for (const char *c = token; *c; c++)
        if (!isgraph((unsigned char)*c))
            return error_set(err, -EINVAL, "%s holds no token: it has blanks or control characters",
                             origin);
    t->token = strdup(token);
    return t->token ? 0 : error_set(err, -ENOMEM, "%m");
}

/* The first line that is no comment: "SECRET", or "NAME ROLE SECRET" as in the daemon's own file.
 */
static int read_token(struct target *t, const char *path, struct error *err)
{
    CLEANUP(freep) char *data = NULL;
    char *rest, *line;
    size_t len;

    if (file_read(path, TOKEN_FILE_LIMIT, &data, &len, err) < 0)
        return err->code;
    for (line = strtok_r(data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *words[4], *more;
        size_t count = 0;

        for (char *w = strtok_r(line, " \t\r", &more); w && count < 4;
             w = strtok_r(NULL, " \t\r", &more))
            words[count++] = w;
        if (count == 0 || *words[0] == '#' || *words[0] == ';')
            continue;
        if (count == 1 || count == 3)
            return take_token(t, words[count - 1], path, err);
        break;
    }
    return error_set(err, -EINVAL, "%s holds no token: a line \"SECRET\" or \"NAME ROLE SECRET\"",
                     path);
}

static int find_token(const struct options *o, struct target *t, struct error *err)
{
    const char *token = environment("ORDERLY_TOKEN"), *file = environment("ORDERLY_TOKEN_FILE");

    if (o->token_file)
        return read_token(t, o->token_file, err);
    if (token)
        return take_token(t, token, "ORDERLY_TOKEN", err);
    return file ? read_token(t, file, err) : 0;
}

/* A file that cannot be read is told now, not as a failure of the network. */
static int find_cacert(const struct options *o, struct target *t, struct error *err)
{
    const char *file = o->cacert ? o->cacert : environment("ORDERLY_CACERT");

    if (!file)
        return 0;
    if (access(file, R_OK) < 0)
        return error_set(err, -errno, "%s: %s: %m", o->cacert ? "--cacert" : "ORDERLY_CACERT",
                         file);
    t->cacert = strdup(file);
    return t->cacert ? 0 : error_set(err, -ENOMEM, "%m");
}

static int take_url(const struct options *o, struct target *t, const char *url, const char *origin,
                    struct error *err)
{
    size_t len = strlen(url);
    bool exposed;

    if (url_check(url, origin, &exposed, err) < 0)
        return err->code;
    while (len > 0 && url[len - 1] == '/')
        len--;
    t->url = strndup(url, len);
    t->origin = strdup(origin);
    if (!t->url || !t->origin)
        return error_set(err, -ENOMEM, "%m");
    if (find_token(o, t, err) < 0 || find_cacert(o, t, err) < 0)
        return err->code;
    if (exposed && t->token)
        return error_set(err, -EPERM,
                         "the token is not sent to %s: everybody on the way could read it; use "
                         "https://, or a tunnel to a loopback address",
                         t->url);
    return 0;
}

/* A file with errors in it names no socket. */
static int take_config(struct target *t, const char *path, struct error *err)
{
    struct problems problems = {0};
    struct config *config = config_load(path, &problems);
    char origin[512];
    int result;

    snprintf(origin, sizeof origin, "api.socket of %s", path);
    if (config) {
        result = take_socket(t, config->socket, origin, err);
    } else {
        problems_print(&problems, stderr);
        result = error_set(err, -EINVAL, "%s does not tell where the socket is", path);
    }
    config_free(config);
    problems_deinit(&problems);
    return result;
}

/* What supervisor.conf would say if it said nothing, for the user who asks. */
static int take_default(struct target *t, struct error *err)
{
    struct problems problems = {0};
    struct config *config;
    struct stat st;
    char origin[512];
    int result;

    if (geteuid() == 0)
        return take_socket(t, SYSTEM_SOCKET, "the usual place", err);
    config = config_load("/dev/null", &problems); /* an empty file: all defaults */
    problems_deinit(&problems);
    if (!config)
        return take_socket(t, SYSTEM_SOCKET, "the usual place", err);
    /* Without XDG_RUNTIME_DIR it lies below /tmp, where anybody may put one. */
    if (stat(config->socket, &st) == 0 && st.st_uid == geteuid()) {
        result = take_socket(t, config->socket, "your own daemon's usual place", err);
    } else {
        snprintf(origin, sizeof origin, "the usual place; nor is there your own daemon's, %s",
                 config->socket);
        result = take_socket(t, SYSTEM_SOCKET, origin, err);
    }
    config_free(config);
    return result;
}

int find_daemon(const struct options *o, struct target *t, struct error *err)
{
    *t = (struct target){0};
    if (o->socket)
        return take_socket(t, o->socket, "--socket", err);
    if (o->url)
        return take_url(o, t, o->url, "--url", err);
    if (o->config)
        return take_config(t, o->config, err);
    if (environment("ORDERLY_SOCKET"))
        return take_socket(t, environment("ORDERLY_SOCKET"), "ORDERLY_SOCKET", err);
    if (environment("ORDERLY_URL"))
        return take_url(o, t, environment("ORDERLY_URL"), "ORDERLY_URL", err);
    return take_default(t, err);
}

/* Who may write to the socket, as far as can be seen: "it belongs to root and the group ops". */
static void describe_owner(const char *path, char *text, size_t size)
{
    struct stat st;
    struct passwd *user;
    struct group *group;

    *text = '\0';
    if (stat(path, &st) < 0)
        return;
    user = getpwuid(st.st_uid);
    group = getgrgid(st.st_gid);
    snprintf(text, size, "; it is for the user %s and the group %s", user ? user->pw_name : "?",
             group ? group->gr_name : "?");
}

int target_explain(const struct target *t, int code, struct error *err)
{
    char owner[256];
    const char *why;

    if (!t->socket)
        return error_set(err, code, "cannot reach orderlyd at %s (%s): %m; does it listen there?",
                         t->url, t->origin);
    switch (code) {
    case -ENOENT: why = "there is no such socket; is orderlyd running?"; break;
    case -ECONNREFUSED:
        why = "nobody listens on that socket; orderlyd has ended, or is just starting";
        break;
    case -EACCES:
    case -EPERM:
        describe_owner(t->socket, owner, sizeof owner);
        return error_set(err, -EACCES, "not permitted to use %s (%s)%s", t->socket, t->origin,
                         owner);
    default:
        return error_set(err, code, "cannot reach orderlyd at %s (%s): %m", t->socket, t->origin);
    }
    return error_set(err, code, "cannot reach orderlyd at %s (%s): %s", t->socket, t->origin, why);
}

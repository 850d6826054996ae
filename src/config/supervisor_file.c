/* supervisor_file - supervisor.conf, read and completed with the defaults of whoever runs it.
 * Threads: any. Ownership: the caller's, to config_free(). */
#include "supervisor_file.h"
#include "api.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "loading.h"
#include "lookup.h"
#include "path.h"
#include "trust.h"

#include <stdlib.h>
#include <string.h>

void config_free(struct config *config)
{
    if (!config)
        return;
    free(config->file);
    free(config->state_dir);
    free(config->runtime_dir);
    free(config->log_dir);
    free(config->services_dir);
    free(config->socket);
    free(config->group);
    free(config->listen);
    free(config->token_file);
    string_list_clear(&config->server_names);
    free(config->tls_cert);
    free(config->tls_key);
    free(config);
}

static void config_freep(struct config **config)
{
    config_free(*config);
}

/* ---- defaults ---- */

/* A folder that the environment names: absolute, or it does not count. */
static const char *environment_folder(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] == '/' ? value : NULL;
}

/* NULL: none is known. */
static char *home_folder(void)
{
    const char *home = environment_folder("HOME");
    CLEANUP(lookup_user_deinit) struct user own = {0};

    if (home)
        return strdup(home);
    if (lookup_uid(geteuid(), &own, NULL) < 0 || own.home[0] != '/')
        return NULL;
    return take(own.home);
}

static char *default_state_dir(void)
{
    const char *state = environment_folder("XDG_STATE_HOME");
    CLEANUP(freep) char *home = NULL;

    if (geteuid() == 0)
        return strdup("/var/lib/orderly");
    if (state)
        return path_absolute(state, "orderly");
    home = home_folder();
    return home ? path_absolute(home, ".local/state/orderly") : NULL;
}

static char *default_runtime_dir(void)
{
    const char *runtime = environment_folder("XDG_RUNTIME_DIR");
    struct text t = {0};

    if (geteuid() == 0)
        return strdup("/run/orderly");
    if (runtime)
        return path_absolute(runtime, "orderly");
    text_appendf(&t, "/tmp/orderly-%u", geteuid());
    return text_take(&t);
}

static char *default_log_dir(const struct config *config)
{
    return geteuid() == 0 ? strdup("/var/log/orderly") : path_absolute(config->state_dir, "log");
}

static void put_default(struct loading *l, const char *key, char **target, char *value)
{
    if (*target)
        free(value);
    else if (value)
        *target = value;
    else
        report_error(l->report, NO_PLACE, key, "no default for it can be found: set it");
}

static void add_defaults(struct loading *l, struct config *c)
{
    put_default(l, "state_dir", &c->state_dir, default_state_dir());
    put_default(l, "runtime_dir", &c->runtime_dir, default_runtime_dir());
    put_default(l, "services_dir", &c->services_dir, path_absolute(l->folder, "services.d"));
    if (c->state_dir) {
        put_default(l, "log_dir", &c->log_dir, default_log_dir(c));
        put_default(l, "token_file", &c->token_file, path_absolute(c->state_dir, "token"));
    }
    if (c->runtime_dir)
        put_default(l, "socket", &c->socket, path_absolute(c->runtime_dir, "api.sock"));
}

/* ---- what only the whole shows ---- */

static void check_socket(struct loading *l, const struct config *c)
{
    struct place socket = loading_place(l, "api", "socket");

    if (!c->socket || strlen(c->socket) <= SOCKET_MOST)
        return;
    if (socket.line > 0)
        report_error(l->report, socket, "socket",
                     "a Unix socket's path has at most %d bytes; %s has %zu", SOCKET_MOST,
                     QUOTED(c->socket), strlen(c->socket));
    else
        report_error(l->report, loading_place(l, "daemon", "runtime_dir"), "runtime_dir",
                     "too long for the socket in it, whose path has at most %d bytes: %s has %zu; "
                     "set [api] socket",
                     SOCKET_MOST, QUOTED(c->socket), strlen(c->socket));
}

static void check_lengths(struct loading *l, const struct config *c)
{
    const struct {
        const char *key, *path;
    } folders[] = {{"state_dir", c->state_dir},
                   {"runtime_dir", c->runtime_dir},
                   {"log_dir", c->log_dir},
                   {"services_dir", c->services_dir}};

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (folders[i].path && strlen(folders[i].path) > FOLDER_MOST)
            report_error(l->report, loading_place(l, "daemon", folders[i].key), folders[i].key,
                         "its default is too long a path: set it");
}

static void check_limits(struct loading *l, const struct config *c)
{
    if (c->queue_limit > c->queue_limit_total)
        report_warning(l->report, loading_place(l, "operations", "queue_limit"), "queue_limit",
                       "above queue_limit_total, which holds for all services together");
}

/* ---- reading ---- */

static struct config *config_new(const char *path)
{
    CLEANUP(freep) char *here = path[0] == '/' ? strdup("/") : getcwd(NULL, 0);
    CLEANUP(config_freep) struct config *config = calloc(1, sizeof *config);

    if (!config || !here)
        return NULL;
    config->file = path_absolute(here, path);
    return config->file ? take(config) : NULL;
}

static void read_into(struct config *config, struct report *report)
{
    CLEANUP(freep) char *folder = path_folder(config->file);
    CLEANUP(freep) char *text = NULL;
    CLEANUP(loading_deinit)
    struct loading l = {
        .kind = &supervisor_file, .record = config, .report = report, .folder = folder};
    struct error err;
    size_t len;

    if (!folder) {
        loading_out_of_memory(&l);
        return;
    }
    loading_defaults(&l);
    if (file_read(config->file, READER_FILE_MOST, &text, &len, &err) < 0) {
        report_error(report, NO_PLACE, NULL, "%s", err.text);
        return;
    }
    trust_check(report, config->file);
    loading_read(&l, text, len);
    add_defaults(&l, config);
    check_socket(&l, config);
    check_lengths(&l, config);
    check_limits(&l, config);
    api_check(&l, config);
}

struct config *config_read(const char *path, struct problems *problems, bool *ret_good)
{
    CLEANUP(config_freep) struct config *config = config_new(path);
    CLEANUP(report_deinit)
    struct report report = {.problems = problems, .file = config ? config->file : path};
    size_t begin = problems->count;

    if (!config) {
        report_error(&report, NO_PLACE, NULL, "out of memory, or the working directory is gone");
        return NULL;
    }
    read_into(config, &report);
    problems_sort(problems, begin);
    *ret_good = report.errors == 0;
    return take(config);
}

struct config *config_load(const char *path, struct problems *problems)
{
    bool good = false;
    CLEANUP(config_freep) struct config *config = config_read(path, problems, &good);

    return good ? take(config) : NULL;
}

/* orderlyd: arguments, signals, wiring.
 * Threads: main opens everything, waits for signals and for the end, and closes everything; no
 * other thread takes a signal. Ownership: main's locals own it all. */
#include "backend/scope.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "config/config.h"
#include "core/supervisor.h"
#include "http/api.h"
#include "http/http.h"
#include "logs/logs.h"
#include "notify.h"
#include "options.h"
#include "own_job.h"
#include "upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

/* Beyond shutdown_timeout: what is left is killed, logs and journal are closed. */
#define CLOSING (15 * USEC_PER_SEC)

enum exit_status { EXIT_OK = 0, EXIT_FAULT = 1, EXIT_USAGE = 2 };

struct daemon {
    struct config *config;
    struct supervisor *supervisor;
    struct http *http;
    struct notify *notify;
    int signals, closed; /* signalfd, eventfd */
    const char *program; /* our own file */
    struct handover *handover;
    atomic_bool upgrade; /* once all is closed down, we become the program that stands there now */
};

/* Reads everything; the configuration stays NULL when it cannot be used at all. */
static int load(const char *path, struct config **ret_config, struct service_set *set,
                struct problems *problems)
{
    struct error err = {0};
    int result;

    *ret_config = config_load(path, problems);
    if (!*ret_config)
        return -EINVAL;
    result = config_load_services(*ret_config, set, problems, &err);
    if (result < 0)
        fprintf(stderr, "orderlyd: %s\n", err.text);
    return result;
}

/* orderly-exec lies in ../libexec of the folder that we were started from, built or installed. */
static char *executor_path(void)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash, *path;

    if (n < 0)
        return NULL;
    self[n] = '\0';
    slash = strrchr(self, '/');
    *slash = '\0';
    slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    return asprintf(&path, "%s/libexec/orderly-exec", self) < 0 ? NULL : path;
}

/* A daemon started without 0, 1 or 2 must not get them for something else. */
static void keep_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static int open_signals(struct daemon *d, struct error *err)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGPIPE);
    sigprocmask(SIG_BLOCK, &set, NULL); /* inherited by every thread */
    sigdelset(&set, SIGPIPE);           /* only blocked: a client that went away is an errno */
    d->signals = signalfd(-1, &set, SFD_CLOEXEC);
    d->closed = eventfd(0, EFD_CLOEXEC);
    if (d->signals < 0 || d->closed < 0)
        return error_set(err, -errno, "signalfd: %m");
    return 0;
}

static void closed(void *context)
{
    struct daemon *d = context;

    eventfd_write(d->closed, 1);
}

static void shut_down(void *context, bool leave)
{
    struct daemon *d = context;

    notify_stopping(d->notify, d->config->shutdown_timeout_us + CLOSING);
    supervisor_shutdown(d->supervisor, leave, closed, d);
}

static void reloading(void *context, bool begun)
{
    struct daemon *d = context;

    notify_reloading(d->notify, begun);
}

static int can_upgrade(void *context, struct error *err)
{
    struct daemon *d = context;

    return d->program ? upgrade_check(d->program, err)
                      : error_set(err, -ENOENT, "it is not known where this program's file is");
}

static void upgrade(void *context)
{
    struct daemon *d = context;

    atomic_store(&d->upgrade, true);
    supervisor_shutdown(d->supervisor, true, closed, d);
}

static void reload(struct daemon *d)
{
    struct identity who = {.name = "signal:HUP", .role = ROLE_ADMIN};
    struct reload_result result;
    struct error err = {0};

    notify_reloading(d->notify, true);
    if (supervisor_reload(d->supervisor, false, &who, &result, &err) == 0)
        reload_result_deinit(&result);
    http_reload(d->http);
    notify_reloading(d->notify, false);
}

/* Until everything has been closed down. */
static void serve(struct daemon *d)
{
    struct pollfd fds[] = {{.fd = d->signals, .events = POLLIN},
                           {.fd = d->closed, .events = POLLIN}};
    struct signalfd_siginfo info;

    while (!(fds[1].revents & POLLIN)) {
        if (poll(fds, 2, -1) < 0 || !(fds[0].revents & POLLIN))
            continue;
        if (read(d->signals, &info, sizeof info) != sizeof info)
            continue;
        if (info.ssi_signo == SIGHUP)
            reload(d);
        else /* when our own unit is started again at once, the services need not stop */
            shut_down(d, info.ssi_signo == SIGTERM && own_job_is_restart());
    }
}

static int open_log(const struct config *config, struct error *err)
{
    CLEANUP(freep) char *path = file_join(config->log_dir, "orderlyd.log");

    if (!path)
        return error_set(err, -ENOMEM, "open the log: %m");
    if (config->log_target == LOG_TARGET_FILE && file_make_folder(config->log_dir, 0750, err) < 0)
        return err->code;
    return log_open(config->log_target, config->log_level, path, err);
}

static void log_problems(const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *p = &problems->items[i];

        char place[16] = "";

        if (p->line > 0)
            snprintf(place, sizeof place, ":%d", p->line);
        log_line(p->warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "%s%s: %s%s%s", p->file, place,
                 p->key ? p->key : "", p->key ? ": " : "", p->message);
    }
}

static bool is_best_effort(void)
{
    const char *containment = getenv("ORDERLY_CONTAINMENT");

    return containment && strcmp(containment, "best-effort") == 0;
}

/* Without it services run where they can; what that means, the manual says. */
static void open_scope(const char *executor)
{
    struct error err = {0};

    if (!is_best_effort() && scope_open(executor, &err) < 0)
        log_warning("%s: services have no scope of their own beside this unit", err.text);
}

static int open_daemon(struct daemon *d, struct service_set *set, struct problems *problems,
                       struct error *err)
{
    CLEANUP(freep) char *executor = executor_path();
    struct supervisor_config config = {
        .config = d->config,
        .executor = executor,
        .force_best_effort = is_best_effort(),
        .handover = d->handover,
    };
    struct http_config http = {
        .config = d->config,
        .shutdown = shut_down,
        .reloading = reloading,
        .can_upgrade = can_upgrade,
        .upgrade = upgrade,
        .handover = d->handover,
        .context = d,
    };

    if (open_log(d->config, err) < 0)
        return err->code;
    if (!executor || access(executor, X_OK) < 0)
        return error_set(err, -ENOENT, "the executor %s is not there",
                         executor ? executor : "orderly-exec");
    log_problems(problems);
    if (http_check(d->config, err) < 0)
        return err->code;
    open_scope(executor);
    if (open_signals(d, err) < 0 ||
        supervisor_new(&config, set, problems, &d->supervisor, err) < 0 ||
        notify_new(d->supervisor, &d->notify, err) < 0)
        return err->code;
    return http_start(&http, d->supervisor, &d->http, err);
}

/* Sockets and locks stay open for the next program. */
static void hand_over(struct daemon *d)
{
    handover_close(d->handover);
    if (supervisor_hand_over(d->supervisor, d->handover) < 0 ||
        http_hand_over(d->http, d->handover) < 0)
        log_warning("upgrade: not all sockets and locks could be kept open");
}

/* True: closed down for an upgrade. */
static bool run(const char *path, const char *program, struct handover *handover, int *ret_status)
{
    struct daemon d = {.signals = -1, .closed = -1, .program = program, .handover = handover};
    struct service_set set = {0};
    struct problems problems = {0};
    struct error err = {0};
    int result = load(path, &d.config, &set, &problems);

    if (result < 0)
        problems_print(&problems, stderr);
    else
        result = open_daemon(&d, &set, &problems, &err);
    if (result == 0) {
        log_info("orderlyd " ORDERLY_VERSION " is ready, configuration %s", path);
        handover_close(handover); /* what has not been taken is of no use any more */
        logs_forget_stored(supervisor_logs(d.supervisor)); /* nor is that */
        service_set_deinit(&set);
        notify_ready(d.notify);
        serve(&d);
    } else if (err.code < 0) {
        log_error("%s", err.text);
        if (d.config->log_target == LOG_TARGET_FILE) /* whoever started it looks here */
            fprintf(stderr, "orderlyd: %s\n", err.text);
    }
    if (d.supervisor)
        supervisor_release_waits(d.supervisor);
    if (d.upgrade)
        hand_over(&d);
    if (d.http)
        http_stop(d.http);
    notify_free(d.notify);
    supervisor_free(d.supervisor);
    if (!d.upgrade)
        scope_close();
    service_set_deinit(&set);
    problems_deinit(&problems);
    if (result == 0)
        log_info("orderlyd %s", d.upgrade ? "is replaced by the program in its file" : "has ended");
    log_close();
    config_free(d.config);
    closep(&d.signals);
    closep(&d.closed);
    *ret_status = result < 0 ? EXIT_FAULT : EXIT_OK;
    return d.upgrade;
}

/* An upgrade that fails at the last moment leaves this program to go on. */
static int run_and_upgrade(const char *path, char **argv)
{
    CLEANUP(freep) char *program = upgrade_program();
    struct handover handover;
    struct error err;
    int status;

    upgrade_inherit(&handover);
    while (run(path, program, &handover, &status)) {
        fflush(NULL);
        upgrade_exec(program, argv, &handover, &err);
        log_error("%s; this version goes on", err.text);
    }
    handover_close(&handover);
    return status;
}

/* What orderlyctl check looks at, and the tokens and the certificate as well. */
static bool check(const char *path)
{
    bool good = config_check(path, stdout, stderr);
    struct problems problems = {0};
    struct config *config = good ? config_load(path, &problems) : NULL;
    struct error err = {0};

    if (config && config->listen && http_check(config, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        good = false;
    }
    config_free(config);
    problems_deinit(&problems);
    return good;
}

int main(int argc, char **argv)
{
    struct options options;
    struct error err = {0};

    /* What one thread frees is another's again: an arena for each would keep all that each has ever
     * needed. Threads allocate little, and mostly from caches of their own. */
    mallopt(M_ARENA_MAX, 1);
    keep_standard_descriptors();
    umask(022);
    if (fault_asked(argc, argv))
        return EXIT_OK;
    if (fault_begin(&err) < 0) {
        fprintf(stderr, "orderlyd: %s\n", err.text);
        return EXIT_USAGE;
    }
    if (options_parse(argc, argv, &options) < 0)
        return EXIT_USAGE;
    if (options.help) {
        fputs(options_usage, stdout);
        return EXIT_OK;
    }
    if (options.version) {
        puts("orderlyd " ORDERLY_VERSION);
        return EXIT_OK;
    }
    if (options.help_config) {
        config_print_help(stdout);
        return EXIT_OK;
    }
    if (options.help_api) {
        http_print_api(stdout);
        return EXIT_OK;
    }
    if (options.check)
        return check(options.config) ? EXIT_OK : EXIT_FAULT;
    return run_and_upgrade(options.config, argv);
}

/* The supervisor is put together and taken apart here, in the order of its layers.
 * Threads: supervisor_new() and supervisor_free() belong to main. */
#include "core/supervisor.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "boot.h"
#include "supervisor_private.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* A daemon that was killed while it spawned leaves the lock to the child for the moment until that
 * execs: so a lock that is held is looked at again for a while. */
#define LOCK_WITHIN (2 * USEC_PER_SEC)
#define LOCK_PAUSE  (20 * USEC_PER_MSEC)
#define QUIET_AFTER (1 * USEC_PER_SEC)
#define MANY_TURNS  1000u

static int lock_within(int fd, int64_t within)
{
    int64_t until = clock_mono_us() + within;

    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK || clock_mono_us() > until)
            return -1;
        usleep(LOCK_PAUSE);
    }
    return 0;
}

/* One daemon a folder: the lock goes with the process, however it ends. */
static int lock_folder(const char *folder, struct handover *handover, int *ret_fd,
                       struct error *err)
{
    CLEANUP(freep) char *path = file_join(folder, "lock");
    CLEANUP(closep) int fd = -1;
    struct stat st;

    if (!path)
        return error_set(err, -ENOMEM, "lock %s: %m", folder);
    if (handover && stat(path, &st) == 0 && (*ret_fd = handover_take_file(handover, &st)) >= 0)
        return 0; /* it is locked: we were the program that did so */
    fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0 && errno == EROFS) /* what runs is to be taken over all the same */
        fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, -errno, "open %s: %m", path);
    if (lock_within(fd, LOCK_WITHIN) < 0) {
        if (errno == EWOULDBLOCK)
            return error_set(err, -EBUSY, "another orderlyd uses %s (%s is locked)", folder, path);
        return error_set(err, -errno, "lock %s: %m", path);
    }
    *ret_fd = take_fd(&fd);
    return 0;
}

static bool is_trusted(uid_t uid)
{
    return uid == 0 || uid == geteuid();
}

/* Whoever can write here can make us trust what we did not write: the folder may lie below /tmp.
 * A link must be ours, and so must what it leads to. */
static int check_owner(const char *folder, struct error *err)
{
    struct stat link, st;

    if (lstat(folder, &link) < 0 || stat(folder, &st) < 0)
        return error_set(err, -errno, "look at %s: %m", folder);
    if (!is_trusted(link.st_uid) || !is_trusted(st.st_uid))
        return error_set(err, -EPERM, "%s belongs to uid %u: it must be ours or root's", folder,
                         (unsigned)(is_trusted(st.st_uid) ? link.st_uid : st.st_uid));
    if (st.st_mode & S_IWOTH)
        return error_set(err, -EPERM, "%s can be written by everybody", folder);
    return 0;
}

static int make_folders(struct supervisor *supervisor, struct handover *handover, struct error *err)
{
    const struct config *config = supervisor->host.config;

    if (file_make_folder(config->state_dir, 0750, err) < 0 ||
        file_make_folder(config->runtime_dir, 0755, err) < 0 ||
        file_make_folder(config->log_dir, 0750, err) < 0 ||
        check_owner(config->state_dir, err) < 0 || check_owner(config->runtime_dir, err) < 0)
        return err->code;
    if (lock_folder(config->runtime_dir, handover, &supervisor->runtime_lock, err) < 0)
        return err->code;
    return lock_folder(config->state_dir, handover, &supervisor->state_lock, err);
}

/* A file that stands in runtime_dir while a journal is open: who finds it comes after a daemon that
 * was killed. */
static char *unclean_path(const struct supervisor *supervisor)
{
    return file_join(supervisor->host.config->runtime_dir, ".unclean");
}

static void note_unclean(struct supervisor *supervisor)
{
    CLEANUP(freep) char *path = unclean_path(supervisor);
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640) : -1;

    supervisor->unclean = fd < 0;
    closep(&fd);
}

static void note_clean(const struct supervisor *supervisor)
{
    CLEANUP(freep) char *path = unclean_path(supervisor);

    if (path)
        unlink(path);
}

static void journal_changed(void *context)
{
    struct supervisor *supervisor = context;
    struct journal *journal = supervisor->host.journal;
    char text[256];

    if (!journal_writable(journal, text))
        log_warning("the journal cannot be written: %s", text);
    else if (journal_warning(journal, text))
        log_warning("%s", text);
    else
        log_info("the journal is written again");
    board_touch(&supervisor->host.board); /* its state is part of the status */
}

static void log_troubled(void *context, const char *service)
{
    struct supervisor *supervisor = context;
    struct service *s = registry_find(&supervisor->registry, service);

    if (s)
        service_post(s, MAIL_LOOK);
}

static int open_logs(struct supervisor *supervisor, struct error *err)
{
    struct host *host = &supervisor->host;
    struct logs_config config = {
        .runtime_dir = host->config->runtime_dir,
        .log_dir = host->config->log_dir,
        .console = STDOUT_FILENO,
        .trouble = log_troubled,
        .context = supervisor,
    };

    return logs_start(&config, &host->logs, err);
}

static int open_journal(struct supervisor *supervisor, struct error *err)
{
    struct host *host = &supervisor->host;
    CLEANUP(freep) char *path = file_join(host->config->state_dir, "state.db");
    struct journal_config config = {
        .path = path,
        .boot_id = supervisor->boot,
        .durability_full = host->config->durability_full,
        .history_count = host->config->history_count,
        .history_age_us = host->config->history_age_us,
        .state_changed = journal_changed,
        .context = supervisor,
    };
    bool set_aside = false;
    int result;

    if (!path)
        return error_set(err, -ENOMEM, "open the journal: %m");
    result = journal_open(&config, &host->journal, &set_aside, err);
    if (set_aside)
        log_error("the journal %s was broken: it was set aside beside it, and a new one begun",
                  path);
    return result;
}

static unsigned worker_count(const struct config *config)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (config->workers > 0)
        return (unsigned)config->workers;
    return processors > 2 ? (unsigned)processors : 2;
}

static int open_backend(struct supervisor *supervisor, const struct supervisor_config *config,
                        struct error *err)
{
    struct host *host = &supervisor->host;
    struct process_backend_config process = {
        .runtime_dir = config->config->runtime_dir,
        .executor = config->executor,
        .workers = worker_count(config->config),
        .force_best_effort = config->force_best_effort,
    };
    int result =
        process_backend_new(&process, host->watcher, service_post_event, &host->processes, err);

    if (result < 0)
        return result;
    process_backend_capabilities(host->processes, &supervisor->capabilities);
    return systemd_backend_new(service_post_event, &host->units, err);
}

/* What was needed while much went on, as at the boot, is given back. After a few turns it would be
 * needed again, and to look for it costs as much as they did. */
static void fell_quiet(struct quiet *quiet, unsigned turns)
{
    struct host *host = list_entry(quiet, struct host, quiet);

    if (turns < MANY_TURNS)
        return;
    journal_give_back(host->journal);
    malloc_trim(0);
}

static int open_parts(struct supervisor *supervisor, const struct supervisor_config *config,
                      struct error *err)
{
    struct host *host = &supervisor->host;

    if (make_folders(supervisor, config->handover, err) < 0)
        return err->code;
    note_unclean(supervisor);
    if (boot_identity(supervisor->boot, err) < 0 || watcher_start(&host->watcher, err) < 0)
        return err->code;
    wait_set_init(&host->waits, host->watcher);
    quiet_init(&host->quiet, host->watcher, QUIET_AFTER, fell_quiet);
    ping_init(&supervisor->ping, host->watcher, &host->run_queue);
    if (board_init(&host->board, &host->waits, err) < 0 || open_journal(supervisor, err) < 0 ||
        marks_open(config->config->runtime_dir, supervisor->boot, &host->marks, err) < 0 ||
        open_logs(supervisor, err) < 0)
        return err->code;
    return open_backend(supervisor, config, err);
}

int supervisor_new(const struct supervisor_config *config, struct service_set *set,
                   struct problems *problems, struct supervisor **ret_supervisor, struct error *err)
{
    struct supervisor *supervisor = calloc(1, sizeof *supervisor);
    struct host *host;
    int result;

    if (!supervisor)
        return error_set(err, -ENOMEM, "make the supervisor: %m");
    host = &supervisor->host;
    host->config = config->config;
    host->registry = &supervisor->registry;
    supervisor->runtime_lock = supervisor->state_lock = -1;
    supervisor->since_utc = clock_utc_us();
    lock_init(&supervisor->reloading, LOCK_RELOADING);
    lock_init(&host->stops_lock, LOCK_STOPS);
    cond_init(&host->stops_done);
    registry_init(&supervisor->registry);
    op_index_init(&host->operations);
    events_init(&host->events, &host->waits);
    keys_init(&supervisor->keys);
    atomic_store(&host->queue_limit_total, config->config->queue_limit_total);
    atomic_store(&host->shutdown_timeout_us, config->config->shutdown_timeout_us);
    run_queue_init(&host->run_queue);
    problems_drop_warnings(problems); /* they have been told, and nobody asks again */
    registry_lock(&supervisor->registry);
    supervisor->registry.problems = *problems;
    registry_unlock(&supervisor->registry);
    *problems = (struct problems){0};
    result = open_parts(supervisor, config, err);
    if (result == 0)
        result = boot_services(supervisor, set, err);
    if (result == 0)
        result = run_queue_start(&host->run_queue, worker_count(config->config), err);
    if (result == 0)
        boot_wait_units(host);
    if (result < 0) {
        supervisor_free(supervisor);
        return result;
    }
    *ret_supervisor = supervisor;
    return 0;
}

int supervisor_hand_over(struct supervisor *supervisor, struct handover *handover)
{
    int result = handover_add(handover, supervisor->runtime_lock);

    return result < 0 ? result : handover_add(handover, supervisor->state_lock);
}

void supervisor_release_waits(struct supervisor *supervisor)
{
    wait_set_release(&supervisor->host.waits);
}

/* From the right to the left of the layers; what a part still says goes to one that is there. */
void supervisor_free(struct supervisor *supervisor)
{
    struct host *host;

    if (!supervisor)
        return;
    host = &supervisor->host;
    if (supervisor->closer_started)
        pthread_join(supervisor->closer, NULL);
    if (host->watcher)
        wait_set_release(&host->waits);
    run_queue_stop(&host->run_queue);
    quiet_deinit(&host->quiet);
    if (host->logs)
        logs_stop(host->logs);
    if (host->journal) {
        char why[256];
        bool written = journal_writable(host->journal, why);

        journal_close(host->journal);
        if (written)
            note_clean(supervisor);
    }
    registry_deinit(&supervisor->registry);
    systemd_backend_free(host->units);
    if (host->processes)
        process_backend_free(host->processes);
    marks_close(host->marks);
    op_index_deinit(&host->operations);
    events_deinit(&host->events);
    keys_deinit(&supervisor->keys);
    if (host->watcher) {
        watcher_stop(host->watcher);
        ping_deinit(&supervisor->ping);
        wait_set_deinit(&host->waits);
    }
    if (host->board.waits)
        board_deinit(&host->board);
    run_queue_deinit(&host->run_queue);
    cond_deinit(&host->stops_done);
    lock_deinit(&host->stops_lock);
    lock_deinit(&supervisor->reloading);
    config_free(supervisor->latest);
    closep(&supervisor->state_lock);
    closep(&supervisor->runtime_lock);
    free(supervisor);
}

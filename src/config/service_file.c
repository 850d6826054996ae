#include "service_file.h"

#include "advice.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "base/units.h"
#include "identity.h"
#include "loading.h"
#include "path.h"
#include "trust.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *dependency_key(enum dependency_kind kind)
{
    static const char *const keys[] = {"requires", "wants", "after"};

    return keys[kind];
}

const struct string_list *dependency_list(const struct service_spec *spec,
                                          enum dependency_kind kind)
{
    const struct string_list *const lists[] = {&spec->requires, &spec->wants, &spec->after};

    return lists[kind];
}

void service_file_free(struct service_file *file)
{
    if (!file)
        return;
    report_deinit(&file->report);
    spec_unref(file->spec);
    free(file->name);
    free(file->path);
    free(file);
}

static void service_file_freep(struct service_file **file)
{
    service_file_free(*file);
}

/* ---- what only the whole shows ---- */

static bool written(const struct loading *l, const char *section, const char *key)
{
    return loading_place(l, section, key).line > 0;
}

/* What is missing may be what a broken line or an unknown key was meant to be. */
static void check_command(struct loading *l)
{
    if (!written(l, "service", "command") && !l->report->unclear)
        report_error(l->report, NO_PLACE, "command", "[service] command is required");
}

/* Where the least surprising of the keys that make the sum too large stands. */
static struct place place_of_sum(const struct loading *l, const char *ready_key)
{
    struct place place = loading_place(l, "operation", "timeout");

    if (place.line == 0)
        place = loading_place(l, "operation", "stop_timeout");
    if (place.line == 0 && ready_key)
        place = loading_place(l, "readiness", ready_key);
    return place;
}

static void refuse_sum(struct loading *l, const struct service_spec *spec, const char *ready_key,
                       int64_t ready_us)
{
    char stop[UNITS_TEXT_SIZE], ready[UNITS_TEXT_SIZE], timeout[UNITS_TEXT_SIZE],
        needed[UNITS_TEXT_SIZE], beside[UNITS_TEXT_SIZE + 32] = "";

    units_format_duration(spec->stop_timeout_us, stop);
    units_format_duration(ready_us, ready);
    units_format_duration(spec->timeout_us, timeout);
    units_format_duration(spec->stop_timeout_us + ready_us, needed);
    if (ready_key)
        snprintf(beside, sizeof beside, " and readiness %s %s", ready_key, ready);
    report_error(l->report, place_of_sum(l, ready_key), "timeout",
                 "a restart needs at least %s (stop_timeout %s%s); the timeout%s is %s", needed,
                 stop, beside,
                 written(l, "operation", "timeout") ? "" : ", [operations] of supervisor.conf,",
                 timeout);
}

static bool times_known(const struct loading *l)
{
    return !loading_refused(l, "operation", "timeout") &&
           !loading_refused(l, "operation", "stop_timeout") &&
           !loading_refused(l, "readiness", "type") && !loading_refused(l, "readiness", "delay") &&
           !loading_refused(l, "readiness", "timeout");
}

/* A restart is a stop and a start within one timeout: it must have room for both. */
static void check_timeouts(struct loading *l, struct service_spec *spec)
{
    const char *ready_key = NULL;
    int64_t ready_us = 0;

    if (!written(l, "readiness", "timeout"))
        spec->ready_timeout_us = spec->timeout_us - spec->stop_timeout_us;
    if (spec->ready_timeout_us < USEC_PER_MSEC)
        spec->ready_timeout_us = USEC_PER_MSEC;
    switch (spec->readiness) {
    case READINESS_DELAY:
        ready_key = "delay";
        ready_us = spec->ready_delay_us;
        break;
    case READINESS_FD:
        ready_key = "timeout";
        ready_us = spec->ready_timeout_us;
        break;
    case READINESS_IMMEDIATE: break;
    }
    if (spec->stop_timeout_us + ready_us > spec->timeout_us && times_known(l))
        refuse_sum(l, spec, ready_key, ready_us);
}

/* One way to reload, and one that it can take up. */
static void check_reload(struct loading *l)
{
    struct place signal = loading_place(l, "operation", "reload_signal"),
                 command = loading_place(l, "operation", "reload_command");
    bool command_last = command.line > signal.line;

    if (signal.line > 0 && command.line > 0)
        report_error(l->report, command_last ? command : signal,
                     command_last ? "reload_command" : "reload_signal",
                     "%s is set in line %d: a reload is the one or the other",
                     command_last ? "reload_signal" : "reload_command",
                     command_last ? signal.line : command.line);
}

/* A log that is rotated all the time is no log. */
static void check_max_age(struct loading *l, const struct service_spec *spec)
{
    if (spec->log_max_age_us > 0 && spec->log_max_age_us < USEC_PER_SEC)
        report_error(l->report, loading_place(l, "log", "max_age"), "max_age",
                     "expected 0 (any age) or at least 1s");
}

/* ---- reading ---- */

static void read_spec(struct service_file *file, const struct config *config, const char *folder,
                      char *text, size_t len)
{
    CLEANUP(loading_deinit)
    struct loading l = {
        .kind = &service_file, .record = file->spec, .report = &file->report, .folder = folder};

    loading_read(&l, text, len);
    for (int kind = 0; kind < DEPENDENCY_KINDS; kind++)
        file->dependencies[kind] = loading_place(&l, "service", dependency_key(kind));
    file->stderr_place = loading_place(&l, "log", "stderr");
    check_command(&l);
    check_timeouts(&l, file->spec);
    check_reload(&l);
    check_max_age(&l, file->spec);
    if (file->report.errors == 0)
        advise(&l, file->spec, config);
    identity_settle(&l, file->spec);
}

/* What a file that says nothing would give. */
static struct service_spec *spec_for(const struct service_file *file, const struct config *config)
{
    struct service_spec *spec = spec_new(file->name);

    if (!spec)
        return NULL;
    spec->timeout_us = config->timeout_us;
    spec->queue_limit = config->queue_limit;
    spec->file = strdup(file->path);
    if (spec->file)
        return spec;
    spec_unref(spec);
    return NULL;
}

static int read_file(struct service_file *file, const struct config *config)
{
    CLEANUP(freep) char *folder = path_folder(config->file);
    CLEANUP(freep) char *text = NULL;
    struct error err;
    size_t len;

    if (!folder)
        return -ENOMEM;
    if (!service_name_valid(file->name)) {
        report_error(&file->report, NO_PLACE, NULL,
                     "%s can't be the name of a service: a letter or digit, then letters, digits "
                     "and _ . @ -, at most %d in all",
                     QUOTED(file->name), SERVICE_NAME_MAX);
        return 0;
    }
    if (file_read(file->path, READER_FILE_MOST, &text, &len, &err) < 0) {
        report_error(&file->report, NO_PLACE, NULL, "%s", err.text);
        return 0;
    }
    file->spec = spec_for(file, config);
    if (!file->spec)
        return -ENOMEM;
    trust_check(&file->report, file->path);
    read_spec(file, config, folder, text, len);
    return 0;
}

struct service_file *service_file_load(const struct config *config, const char *name,
                                       struct problems *problems)
{
    CLEANUP(service_file_freep) struct service_file *file = calloc(1, sizeof *file);
    struct text path = {0};

    if (!file)
        return NULL;
    text_appendf(&path, "%s/%s.conf", config->services_dir, name);
    file->path = text_take(&path);
    file->name = strdup(name);
    if (!file->path || !file->name)
        return NULL;
    file->report = (struct report){.problems = problems, .file = file->path};
    return read_file(file, config) < 0 ? NULL : take(file);
}

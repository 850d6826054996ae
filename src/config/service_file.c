#include "service_file.h"

#include "advice.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "identity.h"
#include "loading.h"
#include "path.h"
#include "trust.h"
#include "whole.h"

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
    file->unit_place = loading_place(&l, "service", "unit");
    whole_check(&l, file->spec);
    if (file->report.errors == 0)
        advise(&l, file->spec, config);
    if (!spec_is_unit(file->spec))
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
    if (FAULTS(config_open) ? error_set(&err, -errno, "open %s: %m", file->path)
                            : file_read(file->path, READER_FILE_MOST, &text, &len, &err) < 0) {
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

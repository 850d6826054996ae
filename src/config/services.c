/* services - the folder of service files, read as a set.
 * Threads: any. Ownership: the set is the caller's, to service_set_deinit(). */
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/text.h"
#include "graph.h"
#include "once.h"
#include "service_file.h"
#include "trust.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENDING     ".conf"
#define ENDING_LEN (sizeof ENDING - 1)

static void refused_deinit(struct refused_service *refused)
{
    free(refused->name);
    free(refused->file);
    free(refused->message);
}

void service_set_deinit(struct service_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        spec_unref(set->specs[i]);
    for (size_t i = 0; i < set->refused_count; i++)
        refused_deinit(&set->refused[i]);
    free(set->specs);
    free(set->refused);
    *set = (struct service_set){0};
}

/* ---- names ---- */

/* NAME of NAME.conf; false: the file is none of ours. */
static bool take_name(char *file)
{
    size_t len = strlen(file);

    if (file[0] == '.' || len <= ENDING_LEN || strcmp(file + len - ENDING_LEN, ENDING) != 0)
        return false;
    file[len - ENDING_LEN] = '\0';
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void closedirp(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

static int list_names(const char *path, struct string_list *ret_names, struct error *err)
{
    CLEANUP(closedirp) DIR *folder = FAULTS(config_folder) ? NULL : opendir(path);
    CLEANUP(string_list_clear) struct string_list names = {0};
    struct dirent *entry;

    if (!folder)
        return error_set(err, -errno, "open services_dir %s: %m", path);
    for (errno = 0; (entry = readdir(folder)); errno = 0)
        if (take_name(entry->d_name) && string_list_add(&names, entry->d_name) < 0)
            return error_set(err, -ENOMEM, "%m");
    if (errno != 0)
        return error_set(err, -errno, "read services_dir %s: %m", path);
    if (names.count > 0)
        qsort(names.items, names.count, sizeof *names.items, by_name);
    *ret_names = names;
    names = (struct string_list){0};
    return 0;
}

/* ---- refusing afterwards ---- */

static bool describe_refusal(const struct service_spec *spec, const char *key, const char *message,
                             struct refused_service *ret_refused)
{
    struct refused_service refused = {.name = strdup(spec->name), .file = strdup(spec->file)};
    struct text t = {0};

    text_appendf(&t, "%s: %s", key, message);
    refused.message = text_take(&t);
    *ret_refused = refused;
    return refused.name && refused.file && refused.message;
}

/* Whether the problem has found its place. */
static bool tell(const char *file, const char *key, const char *message, struct problems *problems)
{
    struct report report = {.problems = problems, .file = file};
    size_t before = problems->count;

    report_error(&report, NO_PLACE, key, "%s", message);
    report_deinit(&report);
    return problems->count > before;
}

int service_set_refuse(struct service_set *set, size_t index, const char *key, const char *message,
                       struct problems *problems)
{
    struct refused_service refused, *grown;
    struct service_spec *spec = set->specs[index];

    grown = realloc(set->refused, (set->refused_count + 1) * sizeof *grown);
    if (grown)
        set->refused = grown;
    if (!grown || !describe_refusal(spec, key, message, &refused)) {
        if (grown)
            refused_deinit(&refused);
        return -ENOMEM;
    }
    if (!tell(spec->file, key, message, problems)) {
        refused_deinit(&refused);
        return -ENOMEM;
    }
    set->refused[set->refused_count++] = refused;
    set->count--;
    memmove(set->specs + index, set->specs + index + 1, (set->count - index) * sizeof(*set->specs));
    spec_unref(spec);
    return 0;
}

/* ---- files ---- */

struct files {
    struct service_file **items;
    size_t count;
};

static void files_deinit(struct files *files)
{
    for (size_t i = 0; i < files->count; i++)
        service_file_free(files->items[i]);
    free(files->items);
}

static int compare_name(const void *name, const void *file)
{
    return strcmp(name, (*(struct service_file *const *)file)->name);
}

/* A unit's output is kept by systemd. A file that could not be read may hold either. */
static bool has_log(const struct service_file *file)
{
    return !file->spec || !spec_is_unit(file->spec);
}

static bool log_known(const struct files *files, const char *name)
{
    struct service_file **found =
        bsearch(name, files->items, files->count, sizeof *files->items, compare_name);

    return found && has_log(*found);
}

/* No two may write into one file: NAME.err.log is also the log of a service NAME.err. */
static void check_log_name(const struct files *files, struct service_file *file,
                           const struct config *config)
{
    char other[SERVICE_NAME_MAX + sizeof ".err"];

    if (!has_log(file))
        return;
    if (config->log_target == LOG_TARGET_FILE && strcmp(file->name, "orderlyd") == 0)
        report_error(&file->report, NO_PLACE, NULL,
                     "orderlyd.log is the daemon's own log, with log_target = file: rename it");
    if (!file->spec || !file->spec->separate_stderr)
        return;
    snprintf(other, sizeof other, "%s.err", file->name);
    if (log_known(files, other))
        report_error(&file->report, file->stderr_place, "stderr",
                     "%s.log would be the log of the service \"%s\" too", other, other);
}

/* A service's FIFOs lie in the folder NAME of runtime_dir, beside what the daemon keeps there. */
static void check_runtime_name(struct service_file *file, const struct config *config)
{
    static const char *const ours[] = {"instances", "lock", "marks"};
    const char *folder = config->runtime_dir, *socket = config->socket;
    size_t len = folder ? strlen(folder) : 0;
    bool taken = folder && socket && strncmp(socket, folder, len) == 0 && socket[len] == '/' &&
                 strcmp(socket + len + 1, file->name) == 0;

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        taken = taken || strcmp(file->name, ours[i]) == 0;
    if (taken)
        report_error(&file->report, NO_PLACE, NULL,
                     "%s in runtime_dir is a file of the daemon's own: rename the service",
                     file->name);
}

static int load_files(const struct config *config, const struct string_list *names,
                      struct files *files, struct problems *problems)
{
    files->items = calloc(names->count + 1, sizeof *files->items);
    if (!files->items)
        return -ENOMEM;
    for (size_t i = 0; i < names->count; i++) {
        files->items[i] = service_file_load(config, names->items[i], problems);
        if (!files->items[i])
            return -ENOMEM;
        files->count++;
    }
    for (size_t i = 0; i < files->count; i++) {
        check_log_name(files, files->items[i], config);
        check_runtime_name(files->items[i], config);
    }
    if (once_check(config, files->items, files->count) < 0)
        return -ENOMEM;
    return graph_check(files->items, files->count);
}

static int refuse(struct service_set *set, struct service_file *file)
{
    struct refused_service *refused = &set->refused[set->refused_count++];

    *refused = (struct refused_service){.name = strdup(file->name),
                                        .file = strdup(file->path),
                                        .message = take(file->report.first),
                                        .line = file->report.first_line};
    return refused->name && refused->file && refused->message ? 0 : -ENOMEM;
}

/* After all files were read, so that what reading them took lies together when it is freed. */
static int take_spec(struct service_set *set, struct service_file *file)
{
    struct service_spec *sealed = spec_seal(file->spec);

    if (!sealed)
        return -ENOMEM;
    file->spec = NULL;
    set->specs[set->count++] = sealed;
    return 0;
}

static int sort_out(struct files *files, struct service_set *set)
{
    size_t bad = 0;
    int r = 0;

    for (size_t i = 0; i < files->count; i++)
        bad += files->items[i]->report.errors > 0;
    set->specs = calloc(files->count - bad + 1, sizeof(*set->specs));
    set->refused = calloc(bad + 1, sizeof(*set->refused));
    if (!set->specs || !set->refused)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < files->count; i++) {
        if (files->items[i]->report.errors > 0)
            r = refuse(set, files->items[i]);
        else
            r = take_spec(set, files->items[i]);
    }
    return r;
}

static void check_folder(const char *path, struct problems *problems)
{
    struct report report = {.problems = problems, .file = path};

    trust_check(&report, path);
    report_deinit(&report);
}

int config_load_services(const struct config *config, struct service_set *ret_set,
                         struct problems *problems, struct error *err)
{
    CLEANUP(string_list_clear) struct string_list names = {0};
    CLEANUP(files_deinit) struct files files = {0};
    CLEANUP(service_set_deinit) struct service_set set = {0};
    size_t begin = problems->count;
    int r = list_names(config->services_dir, &names, err);

    if (r < 0)
        return r;
    check_folder(config->services_dir, problems);
    r = load_files(config, &names, &files, problems);
    problems_sort(problems, begin);
    if (r < 0 || sort_out(&files, &set) < 0)
        return error_set(err, -ENOMEM, "read %s: %m", config->services_dir);
    *ret_set = set;
    set = (struct service_set){0};
    return 0;
}

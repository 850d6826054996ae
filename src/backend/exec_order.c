#include "exec_order.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static uint32_t flags_of(const struct exec_order *o)
{
    uint32_t flags = EXEC_SET_NOFILE;

    flags |= o->stay ? EXEC_STAY : 0;
    flags |= o->spec->set_user ? EXEC_SET_USER : 0;
    flags |= o->spec->core >= 0 ? EXEC_SET_CORE : 0;
    flags |= o->spec->set_oom_score_adjust ? EXEC_SET_OOM : 0;
    flags |= o->spec->environment_file_optional ? EXEC_ENVIRONMENT_FILE_OPTIONAL : 0;
    return flags;
}

static struct exec_settings header_of(const struct exec_order *o)
{
    const struct service_spec *spec = o->spec;
    struct exec_settings h = {
        .magic = EXEC_SETTINGS_MAGIC,
        .version = EXEC_SETTINGS_VERSION,
        .flags = flags_of(o),
        .uid = spec->uid,
        .gid = spec->gid,
        .group_count = spec->set_user ? (uint32_t)spec->group_count : 0,
        .umask = spec->umask,
        .argument_count = (uint32_t)o->argv->count,
        .environment_count = (uint32_t)o->environment->count,
        .own_count = (uint32_t)o->own_count,
        .oom_score_adjust = (int32_t)spec->oom_score_adjust,
        .nofile_soft = o->nofile.rlim_cur,
        .nofile_hard = o->nofile.rlim_max,
        .core = (uint64_t)spec->core,
    };

    if (spec->nofile >= 0)
        h.nofile_soft = h.nofile_hard = (uint64_t)spec->nofile;
    return h;
}

static void append_string(struct text *t, const char *string)
{
    text_append_n(t, string ? string : "", string ? strlen(string) + 1 : 1);
}

static void append_list(struct text *t, const struct string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        append_string(t, list->items[i]);
}

static void append_strings(struct text *t, const struct exec_order *o)
{
    append_string(t, o->spec->directory);
    append_string(t, o->output);
    append_string(t, o->error_output);
    append_string(t, o->ready);
    append_string(t, o->spec->environment_file);
    append_string(t, o->cgroup);
    append_list(t, o->argv);
    append_list(t, o->environment);
}

static void write_text(struct text *t, const struct exec_order *o)
{
    static const char padding[4];
    struct exec_settings header = header_of(o);

    text_append_n(t, (const char *)&header, sizeof header);
    append_strings(t, o);
    if (t->failed)
        return;
    header.string_bytes = t->len - sizeof header;
    memcpy(t->data, &header, sizeof header);
    text_append_n(t, padding, -t->len % sizeof padding);
    if (header.group_count > 0)
        text_append_n(t, (const char *)o->spec->groups, header.group_count * sizeof(gid_t));
}

static int seal(struct text *t, int fd)
{
    if (write(fd, t->data, t->len) != (ssize_t)t->len)
        return -EIO;
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
        return -errno;
    return 0;
}

int exec_order_write(const struct exec_order *order, int *ret_fd, struct error *err)
{
    CLEANUP(text_deinit) struct text t = {0};
    CLEANUP(closep) int fd = -1;
    int r;

    write_text(&t, order);
    if (t.failed)
        return error_set(err, -ENOMEM, "write the executor's settings: %m");
    fd = FAULTS(exec_order) ? -1 : memfd_create("orderly-exec", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    r = fd < 0 ? -errno : (FAULT(exec_write) ?: seal(&t, fd));
    if (r < 0)
        return error_set(err, r, "write the executor's settings: %m");
    *ret_fd = take_fd(&fd);
    return 0;
}

static const char *or_empty(const char *string)
{
    return string ? string : "";
}

void exec_failure_text(const struct service_spec *spec, const struct string_list *argv,
                       const struct exec_report *report, char *text, size_t size)
{
    const char *why = strerrordesc_np(report->error);
    const char *program = argv->count ? argv->items[0] : "";

    if (!why)
        why = "unknown error";
    switch ((enum exec_step)report->step) {
    case STEP_SETTINGS: snprintf(text, size, "cannot read its settings: %s", why); return;
    case STEP_SESSION: snprintf(text, size, "cannot begin a session: %s", why); return;
    case STEP_CGROUP: snprintf(text, size, "cannot join its group: %s", why); return;
    case STEP_LIMITS:
        snprintf(text, size, "cannot set the limits nofile and core: %s", why);
        return;
    case STEP_OOM:
        snprintf(text, size, "cannot set oom_score_adjust to %d: %s", (int)spec->oom_score_adjust,
                 why);
        return;
    case STEP_STDIO: snprintf(text, size, "cannot open its standard output: %s", why); return;
    case STEP_ERROR_OUTPUT: snprintf(text, size, "cannot open its standard error: %s", why); return;
    case STEP_READY: snprintf(text, size, "cannot open its readiness FIFO: %s", why); return;
    case STEP_ENVIRONMENT_FILE:
        if (report->value > 0)
            snprintf(text, size, "environment file %s line %d: expected KEY=VALUE",
                     or_empty(spec->environment_file), report->value);
        else
            snprintf(text, size, "cannot read environment file %s: %s",
                     or_empty(spec->environment_file), why);
        return;
    case STEP_GROUPS:
        snprintf(text, size, "cannot take the groups of user %s: %s", or_empty(spec->user), why);
        return;
    case STEP_USER:
        snprintf(text, size, "cannot become user %s: %s", or_empty(spec->user), why);
        return;
    case STEP_DIRECTORY:
        snprintf(text, size, "cannot change to directory %s: %s",
                 spec->directory ? spec->directory : "/", why);
        return;
    case STEP_FORK: snprintf(text, size, "cannot start a process: %s", why); return;
    case STEP_EXEC: snprintf(text, size, "cannot execute %s: %s", program, why); return;
    }
    snprintf(text, size, "cannot start: %s", why);
}

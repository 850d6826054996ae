#include "advice.h"

#include <unistd.h>

/* A key that is written, but has no effect unless useful. */
static void warn_unless(struct loading *l, bool useful, const char *section, const char *key,
                        const char *why)
{
    struct place place = loading_place(l, section, key);

    if (place.line > 0 && !useful)
        report_warning(l->report, place, key, "%s", why);
}

static void advise_on_times(struct loading *l, const struct service_spec *spec,
                            const struct config *config)
{
    warn_unless(l, spec->readiness == READINESS_DELAY, "readiness", "delay",
                "means something for readiness type delay only");
    warn_unless(l, spec->readiness == READINESS_FD, "readiness", "timeout",
                "means something for readiness type fd only");
    if (spec->stop_timeout_us > config->shutdown_timeout_us)
        report_warning(l->report, loading_place(l, "operation", "stop_timeout"), "stop_timeout",
                       "above shutdown_timeout of supervisor.conf, after which it is killed when "
                       "the daemon ends");
}

static void advise_on_recovery(struct loading *l, const struct service_spec *spec)
{
    if (spec->first_delay_us > spec->max_delay_us)
        report_warning(l->report, loading_place(l, "recovery", "first_delay"), "first_delay",
                       "above max_delay, which holds then");
}

static void advise_on_reload(struct loading *l, const struct service_spec *spec)
{
    if (spec->reload_signal && spec->reload_signal == spec->stop_signal)
        report_warning(l->report, loading_place(l, "operation", "reload_signal"), "reload_signal",
                       "the same as stop_signal: a reload may end the service");
}

/* What is written of files though none is kept. */
static void advise_on_log(struct loading *l, const struct service_spec *spec)
{
    static const char *const of_files[] = {"max_size", "max_files", "max_age", "compress"};
    static const char *const of_any[] = {"stderr", "timestamps", "when_full"};
    bool files = spec->output_target == OUTPUT_FILE || spec->output_target == OUTPUT_BOTH;

    for (size_t i = 0; i < sizeof of_files / sizeof *of_files; i++)
        warn_unless(l, files, "log", of_files[i], "means nothing without a file as target");
    for (size_t i = 0; i < sizeof of_any / sizeof *of_any; i++)
        warn_unless(l, spec->output_target != OUTPUT_NONE, "log", of_any[i],
                    "means nothing with target = none");
    if (files && spec->log_compress && spec->log_max_files == 0)
        report_warning(l->report, loading_place(l, "log", "compress"), "compress",
                       "means nothing with max_files = 0: no older file is kept");
}

static void advise_on_user(struct loading *l)
{
    if (geteuid() == 0 && !l->who.has_user)
        report_warning(l->report, NO_PLACE, "user",
                       "it runs as root without saying so; set user = root, or better another");
}

void advise(struct loading *l, const struct service_spec *spec, const struct config *config)
{
    advise_on_recovery(l, spec);
    if (spec_is_unit(spec)) /* the rest is said in the unit's own file */
        return;
    advise_on_times(l, spec, config);
    advise_on_reload(l, spec);
    advise_on_log(l, spec);
    advise_on_user(l);
}

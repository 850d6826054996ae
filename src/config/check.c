/* `orderlyd --check` and `orderlyctl check`: the same reading as at a start, nothing but said. */
#include "config/config.h"
#include "supervisor_file.h"

/* The services are looked at even when supervisor.conf is refused: all errors are told at once. */
static bool read_services(const struct config *config, bool good, struct service_set *set,
                          struct problems *problems, FILE *complaints)
{
    struct error err;

    if (!config->services_dir)
        return false;
    if (config_load_services(config, set, problems, &err) == 0)
        return true;
    if (good)
        fprintf(complaints, "%s: error: %s\n", config->file, err.text);
    return false;
}

bool config_check(const char *path, FILE *out, FILE *complaints)
{
    struct problems problems = {0};
    struct service_set set = {0};
    bool good = false, read = false;
    struct config *config = config_read(path, &problems, &good);
    size_t errors;

    if (config)
        read = read_services(config, good, &set, &problems, complaints);
    errors = problems_errors(&problems) + (good && !read);
    problems_print(&problems, complaints);
    if (errors > 0)
        fprintf(complaints, "%zu %s\n", errors, errors == 1 ? "error" : "errors");
    else
        fprintf(out, "%zu %s, no errors\n", set.count, set.count == 1 ? "service" : "services");
    service_set_deinit(&set);
    problems_deinit(&problems);
    config_free(config);
    return errors == 0;
}

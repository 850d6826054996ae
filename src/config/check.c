/* `orderlyd --check` and `orderlyctl check`: the same reading as at a start, nothing but said. */
#include "config/config.h"

bool config_check(const char *path, FILE *out, FILE *complaints)
{
    struct problems problems = {0};
    struct service_set set = {0};
    struct error err = {0};
    struct config *config = config_load(path, &problems);
    bool read = config && config_load_services(config, &set, &problems, &err) == 0;
    size_t errors = problems_errors(&problems);

    problems_print(&problems, complaints);
    if (config && !read)
        fprintf(complaints, "%s\n", err.text);
    if (errors > 0)
        fprintf(complaints, "%zu %s\n", errors, errors == 1 ? "error" : "errors");
    if (read && errors == 0)
        fprintf(out, "%zu %s, no errors\n", set.count, set.count == 1 ? "service" : "services");
    service_set_deinit(&set);
    problems_deinit(&problems);
    config_free(config);
    return read && errors == 0;
}

#include "once.h"

#include "base/cleanup.h"
#include "path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_unit(const struct service_file *a, const struct service_file *b)
{
    int order = strcmp(a->spec->unit, b->spec->unit);

    return order != 0 ? order : (a->spec->bus > b->spec->bus) - (a->spec->bus < b->spec->bus);
}

static int by_unit_and_name(const void *a, const void *b)
{
    const struct service_file *x = *(struct service_file *const *)a,
                              *y = *(struct service_file *const *)b;
    int order = by_unit(x, y);

    return order != 0 ? order : strcmp(x->name, y->name);
}

/* A path as one would write it beside supervisor.conf. */
static const char *seen_from(const char *folder, const char *path)
{
    size_t len = strlen(folder);

    return strncmp(path, folder, len) == 0 && path[len] == '/' ? path + len + 1 : path;
}

/* A file that is refused for something else counts too: what it said before may still hold. */
int once_check(const struct config *config, struct service_file *const files[], size_t count)
{
    CLEANUP(freep) char *folder = path_folder(config->file);
    CLEANUP(freep) struct service_file **units = calloc(count + 1, sizeof(*units));
    size_t n = 0, first = 0;

    if (!folder || !units)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (files[i]->spec && spec_is_unit(files[i]->spec) && files[i]->spec->unit)
            units[n++] = files[i];
    qsort(units, n, sizeof(*units), by_unit_and_name);
    for (size_t i = 1; i < n; i++) {
        if (by_unit(units[first], units[i]) != 0)
            first = i;
        else
            report_error(&units[i]->report, units[i]->unit_place, "unit",
                         "%s is already driven by service %s (%s)", units[i]->spec->unit,
                         units[first]->name, seen_from(folder, units[first]->path));
    }
    return 0;
}

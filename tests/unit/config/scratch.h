/* scratch - a folder with a supervisor.conf and a services.d of its own, for one test.
 * Include it after cmocka.h. */
#pragma once

#include "base/cleanup.h"
#include "base/text.h"
#include "config/config.h"

#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

struct scratch {
    char folder[64];
    struct problems problems;
    struct service_set set;
};

static inline void scratch_write(const struct scratch *s, const char *name, const char *data,
                                 size_t len)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", s->folder, name);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0640), 0);
}

static inline void scratch_open(struct scratch *s, const char *supervisor_conf)
{
    char services[80];

    *s = (struct scratch){.folder = "/tmp/orderly-config-XXXXXX"};
    assert_non_null(mkdtemp(s->folder));
    assert_int_equal(chmod(s->folder, 0755), 0);
    snprintf(services, sizeof services, "%s/services.d", s->folder);
    assert_int_equal(mkdir(services, 0755), 0);
    scratch_write(s, "supervisor.conf", supervisor_conf, strlen(supervisor_conf));
}

static inline void scratch_service(const struct scratch *s, const char *name, const char *text)
{
    char file[300];

    snprintf(file, sizeof file, "services.d/%s.conf", name);
    scratch_write(s, file, text, strlen(text));
}

static inline int scratch_remove(const char *path, const struct stat *st, int flag,
                                 struct FTW *where)
{
    (void)st, (void)flag, (void)where;
    return remove(path);
}

static inline void scratch_close(struct scratch *s)
{
    problems_deinit(&s->problems);
    service_set_deinit(&s->set);
    nftw(s->folder, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* NULL: supervisor.conf is refused. */
static inline struct config *scratch_config(struct scratch *s)
{
    char path[80];

    snprintf(path, sizeof path, "%s/supervisor.conf", s->folder);
    return config_load(path, &s->problems);
}

static inline void scratch_load(struct scratch *s)
{
    struct config *config = scratch_config(s);
    struct error err;

    assert_non_null(config);
    assert_int_equal(config_load_services(config, &s->set, &s->problems, &err), 0);
    config_free(config);
}

static inline const struct service_spec *scratch_spec(const struct scratch *s, const char *name)
{
    for (size_t i = 0; i < s->set.count; i++)
        if (strcmp(s->set.specs[i]->name, name) == 0)
            return s->set.specs[i];
    return NULL;
}

static inline const struct refused_service *scratch_refused(const struct scratch *s,
                                                            const char *name)
{
    for (size_t i = 0; i < s->set.refused_count; i++)
        if (strcmp(s->set.refused[i].name, name) == 0)
            return &s->set.refused[i];
    return NULL;
}

/* Everything that was said, as problems_print() gives it, without the folder. */
static inline char *scratch_said(const struct scratch *s)
{
    size_t len = 0, cut = strlen(s->folder);
    char *text = NULL, *found;
    FILE *f = open_memstream(&text, &len);

    assert_non_null(f);
    problems_print(&s->problems, f);
    fclose(f);
    while ((found = strstr(text, s->folder)))
        memmove(found, found + cut, strlen(found + cut) + 1);
    return text;
}

static inline void scratch_expect(const struct scratch *s, const char *what)
{
    CLEANUP(freep)
    char *said = scratch_said(s);

    if (!strstr(said, what))
        fail_msg("expected: %s\nsaid:\n%s", what, said);
}

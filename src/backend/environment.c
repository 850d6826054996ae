#include "environment.h"

#include "base/cleanup.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static void list_deinit(struct string_list *list)
{
    string_list_clear(list);
}

static size_t key_size(const char *string)
{
    const char *equals = strchr(string, '=');

    return equals ? (size_t)(equals - string) + 1 : strlen(string);
}

static char **find(const struct string_list *list, const char *string)
{
    size_t size = key_size(string);

    for (size_t i = 0; i < list->count; i++)
        if (strncmp(list->items[i], string, size) == 0)
            return &list->items[i];
    return NULL;
}

/* Takes the place of an earlier one with its key. */
static int put(struct string_list *list, const char *string)
{
    char **old = find(list, string);
    char *copy;

    if (!old)
        return string_list_add(list, string);
    copy = strdup(string);
    if (!copy)
        return -ENOMEM;
    free(*old);
    *old = copy;
    return 0;
}

static int put_value(struct string_list *list, const char *key, const char *value)
{
    CLEANUP(freep) char *string = NULL;

    if (asprintf(&string, "%s=%s", key, value) < 0) {
        string = NULL;
        return -ENOMEM;
    }
    return put(list, string);
}

/* Of the service manager that started us, or of an Orderly that we are a service of. */
static bool meant_for_daemon(const char *string)
{
    static const char *const beginnings[] = {"NOTIFY_SOCKET=",
                                             "LISTEN_",
                                             "WATCHDOG_",
                                             "INVOCATION_ID=",
                                             "JOURNAL_STREAM=",
                                             "SYSTEMD_EXEC_PID=",
                                             "MANAGERPID=",
                                             "MAINPID=",
                                             "RUNTIME_DIRECTORY=",
                                             "STATE_DIRECTORY=",
                                             "LOGS_DIRECTORY=",
                                             "CACHE_DIRECTORY=",
                                             "CONFIGURATION_DIRECTORY=",
                                             "CREDENTIALS_",
                                             "FDSTORE=",
                                             "MEMORY_PRESSURE_",
                                             "ORDERLY_"};

    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
        if (strncmp(string, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

static int put_user(struct string_list *list, const char *user, const char *home)
{
    int r = home ? put_value(list, "HOME", home) : 0;

    if (r == 0 && user)
        r = put_value(list, "USER", user);
    if (r == 0 && user)
        r = put_value(list, "LOGNAME", user);
    return r;
}

/* Whoever started us (sudo, a container's entry) may have left another's name and home. */
static int put_our_user(struct string_list *list)
{
    struct passwd entry, *found = NULL;
    char buffer[4096];

    if (getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found) != 0 || !found)
        return 0; /* a uid without a name, as in containers: as inherited */
    return put_user(list, found->pw_name, found->pw_dir);
}

int environment_inherit(struct string_list *ret_list)
{
    CLEANUP(list_deinit) struct string_list list = {0};
    int r = 0;

    for (char **e = environ; e && *e && r == 0; e++)
        if (!meant_for_daemon(*e) && strchr(*e, '=') && (*e)[0] != '=')
            r = put(&list, *e);
    if (r == 0)
        r = put_our_user(&list);
    if (r == 0 && !find(&list, DEFAULT_PATH))
        r = put(&list, DEFAULT_PATH);
    if (r < 0)
        return r;
    *ret_list = list;
    list = (struct string_list){0};
    return 0;
}

/* What nothing else may override. Ours come last: a service that lost its marker could not be
 * found again. */
static int put_own(struct string_list *list, const struct service_spec *spec, const char *marker,
                   const char *added)
{
    int r = 0;

    for (size_t i = 0; i < spec->environment.count && r == 0; i++)
        r = put(list, spec->environment.items[i]);
    if (r == 0)
        r = put_value(list, "ORDERLY_SERVICE", spec->name);
    if (r == 0)
        r = put(list, marker);
    if (r == 0 && added)
        r = put(list, added);
    return r;
}

int environment_build(const struct string_list *inherited, const struct service_spec *spec,
                      const char *marker, const char *added, struct string_list *ret_list,
                      size_t *ret_own)
{
    CLEANUP(list_deinit) struct string_list own = {0};
    CLEANUP(list_deinit) struct string_list user = {0};
    CLEANUP(list_deinit) struct string_list list = {0};
    int r = put_own(&own, spec, marker, added);

    if (r == 0)
        r = put_user(&user, spec->user, spec->home);
    for (size_t i = 0; i < inherited->count && r == 0; i++)
        if (!find(&user, inherited->items[i]) && !find(&own, inherited->items[i]))
            r = string_list_add(&list, inherited->items[i]);
    for (size_t i = 0; i < user.count && r == 0; i++)
        if (!find(&own, user.items[i]))
            r = string_list_add(&list, user.items[i]);
    for (size_t i = 0; i < own.count && r == 0; i++)
        r = string_list_add(&list, own.items[i]);
    if (r < 0)
        return r;
    *ret_own = own.count;
    *ret_list = list;
    list = (struct string_list){0};
    return 0;
}

#include "own_place.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

/* /proc/self/cgroup has our place in the unified hierarchy as a line "0::/path". */
static bool own_place(char *place, size_t size)
{
    CLEANUP(fclosep) FILE *f = fopen("/proc/self/cgroup", "re");
    CLEANUP(freep) char *line = NULL;
    size_t capacity = 0;

    while (f && getline(&line, &capacity, f) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0::/", 4) == 0 && strlen(line + 3) < size) {
            strcpy(place, line + 3);
            return true;
        }
    }
    return false;
}

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static void unescape(char *s)
{
    char *to = s;

    for (; *s; s++, to++) {
        unsigned code;

        if (s[0] == '\\' && sscanf(s + 1, "%3o", &code) == 1) {
            *to = (char)code;
            s += 3;
        } else {
            *to = *s;
        }
    }
    *to = '\0';
}

/* The path of our own group by that mount; NULL: it can't be seen there. */
static char *group_by_mount(const char *root, const char *point, const char *place)
{
    size_t skip = strcmp(root, "/") == 0 ? 0 : strlen(root);
    char *path;

    if (strncmp(place, root, skip) != 0 || (skip && place[skip] != '/' && place[skip] != '\0'))
        return NULL;
    place += skip;
    if (strcmp(place, "/") == 0)
        place = "";
    return strstr(place, "/..") || asprintf(&path, "%s%s", point, place) < 0 ? NULL : path;
}

/* A line of mountinfo: "31 23 0:28 ROOT POINT options ... - TYPE source options". */
static char *group_of_line(char *line, const char *place)
{
    char root[1024], point[1024];
    const char *type = strstr(line, " - ");

    if (!type || strncmp(type, " - cgroup2 ", 11) != 0 ||
        sscanf(line, "%*d %*d %*s %1023s %1023s", root, point) != 2)
        return NULL;
    unescape(root);
    unescape(point);
    return group_by_mount(root, point, place);
}

bool own_place_find(own_place_fits *fits, void *context)
{
    CLEANUP(fclosep) FILE *f = fopen("/proc/self/mountinfo", "re");
    CLEANUP(freep) char *line = NULL;
    char place[1024];
    size_t capacity = 0;
    bool found = false;

    if (!f || !own_place(place, sizeof place))
        return false;
    while (!found && getline(&line, &capacity, f) > 0) {
        CLEANUP(freep) char *group = group_of_line(line, place);

        found = group && fits(group, context);
    }
    return found;
}

bool group_is_delegated(const char *group)
{
    static const char *const names[] = {"trusted.delegate", "user.delegate"};
    char value;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (getxattr(group, names[i], &value, 1) == 1 && value == '1')
            return true;
    return false;
}

#include "revision.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void revision_format(struct revision revision, char text[static REVISION_TEXT_SIZE])
{
    snprintf(text, REVISION_TEXT_SIZE, "%" PRIx32 "-%" PRIu64, revision.epoch, revision.number);
}

bool revision_parse(const char *text, struct revision *ret_revision)
{
    unsigned long long epoch, number;
    char *end;

    if (!isxdigit((unsigned char)*text) || text[1] == 'x' || text[1] == 'X')
        return false;
    errno = 0;
    epoch = strtoull(text, &end, 16);
    if (errno != 0 || epoch > UINT32_MAX || end[0] != '-' || !isdigit((unsigned char)end[1]))
        return false;
    number = strtoull(end + 1, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    *ret_revision = (struct revision){(uint32_t)epoch, number};
    return true;
}

bool revision_matches(const char *if_none_match, struct revision revision)
{
    char text[REVISION_TEXT_SIZE];
    const char *p = if_none_match;
    size_t len;

    if (!p)
        return false;
    revision_format(revision, text);
    len = strlen(text);
    for (;;) {
        const char *end;

        p += strspn(p, " \t,");
        if (*p == '*')
            return true;
        if (strncmp(p, "W/", 2) == 0)
            p += 2;
        end = *p == '"' ? strchr(p + 1, '"') : NULL;
        if (!end)
            return false; /* the end, or not a list of tags */
        if ((size_t)(end - p) == len + 1 && memcmp(p + 1, text, len) == 0)
            return true;
        p = end + 1;
    }
}

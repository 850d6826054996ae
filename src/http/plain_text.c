#include "plain_text.h"

#include <stddef.h>
#include <stdint.h>

/* The length of the character at s and what it is; 0: it is not UTF-8. */
static size_t decode(const unsigned char *s, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = *s < 0x80 ? 1 : *s >> 5 == 6 ? 2 : *s >> 4 == 14 ? 3 : *s >> 3 == 30 ? 4 : 0;
    uint32_t c = len == 1 ? *s : *s & (0xffu >> (len + 1));

    for (size_t i = 1; i < len; i++) {
        if (s[i] >> 6 != 2) /* the end too */
            return 0;
        c = c << 6 | (s[i] & 0x3fu);
    }
    if (len == 0 || c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret = c;
    return len;
}

bool plain_text(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    uint32_t c;

    while (*p) {
        size_t len = decode(p, &c);

        if (len == 0 || c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029)
            return false;
        p += len;
    }
    return true;
}

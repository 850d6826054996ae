#include "utf8.h"

/* The smallest second byte after which a sequence is not overlong, and the largest after which it
 * is neither a surrogate nor above U+10FFFF. */
static bool second_byte_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0: return second >= 0xa0;
    case 0xed: return second <= 0x9f;
    case 0xf0: return second >= 0x90;
    case 0xf4: return second <= 0x8f;
    default: return true;
    }
}

size_t utf8_length(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (len == 0 || p[0] > 0xf4 || len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len == 1 || second_byte_fits(p[0], p[1]) ? len : 0;
}

bool utf8_control(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;

    if (p[0] == 0xc2) /* the C1 set: some terminals obey it */
        return p[1] < 0xa0;
    return (p[0] < ' ' && p[0] != '\t') || p[0] == 0x7f;
}

#include "percent.h"

#include <ctype.h>

static int digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

bool percent_decode(const char *in, char *out)
{
    for (; *in; out++) {
        if (*in != '%') {
            *out = *in++;
            continue;
        }
        if (!isxdigit((unsigned char)in[1]) || !isxdigit((unsigned char)in[2]))
            return false;
        *out = (char)(digit(in[1]) * 16 + digit(in[2]));
        if (*out == '\0')
            return false;
        in += 3;
    }
    *out = '\0';
    return true;
}

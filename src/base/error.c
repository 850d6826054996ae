#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, int code, const char *format, ...)
{
    va_list arguments;

    if (!err)
        return code;
    err->code = code;
    errno = -code; /* for %m */
    va_start(arguments, format);
    vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);
    return code;
}

int error_prefix(struct error *err, const char *format, ...)
{
    char old[sizeof err->text];
    va_list arguments;
    size_t len;

    if (!err)
        return 0;
    memcpy(old, err->text, sizeof old);
    va_start(arguments, format);
    vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);
    len = strlen(err->text);
    snprintf(err->text + len, sizeof err->text - len, ": %s", old);
    return err->code;
}

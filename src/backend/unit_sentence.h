/* unit_sentence - text of bounded length about a unit: what does not fit is cut off.
 * Threads: pure. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define UNIT_SENTENCE_SIZE 512

__attribute__((format(printf, 3, 4))) static inline void say(char *text, size_t size,
                                                             const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, size, format, arguments);
    va_end(arguments);
}

/* Behind what is there. */
__attribute__((format(printf, 3, 4))) static inline void say_more(char *text, size_t size,
                                                                  const char *format, ...)
{
    size_t used = strnlen(text, size - 1);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

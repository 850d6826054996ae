/* plain_text - whether a text can be shown anywhere: valid UTF-8, no control characters.
 * Threads: any. */
#pragma once

#include <stdbool.h>

bool plain_text(const char *s);

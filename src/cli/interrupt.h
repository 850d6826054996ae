/* interrupt - Ctrl-C, noticed between and during requests; a second one just ends the program.
 * Threads: one; the handler only sets a flag, which is why it is the process's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

void interrupt_watch(void);
bool interrupted(void);
/* false: Ctrl-C came first. */
bool pause_us(int64_t us);

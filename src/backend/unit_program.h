/* unit_program - whether the process that systemd has made for a unit is its program yet.
 * Threads: any. Ownership: nothing is kept. */
#pragma once

#include <sys/types.h>

/* IS_GONE: it has ended and been reaped. IS_SYSTEMD: it is still on its way to the program, or has
 * failed to become it. */
enum unit_program { IS_GONE, IS_SYSTEMD, IS_PROGRAM };

enum unit_program unit_program_of(pid_t pid);

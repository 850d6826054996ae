/* when - times and durations, for people.
 * Threads: any. */
#pragma once

#include <stdint.h>

#define WHEN_TEXT_SIZE 32

/* Microseconds of "2026-11-20T18:44:12.518204Z"; 0: it is no such time. */
int64_t when_parse(const char *utc);
/* "3m 12s", "4s", "2h 5m", "3d 4h". */
void when_rough(int64_t us, char text[static WHEN_TEXT_SIZE]);
/* "1.2 s", "0.030 s", "95 s". */
void when_exact(int64_t us, char text[static WHEN_TEXT_SIZE]);
/* "2026-11-20 18:44:12", UTC. */
void when_show(const char *utc, char text[static WHEN_TEXT_SIZE]);

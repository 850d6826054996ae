/* clock - time in microseconds: monotonic for every decision, UTC for people.
 * Threads: any. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define USEC_PER_SEC  INT64_C(1000000)
#define USEC_PER_MSEC INT64_C(1000)
#define CLOCK_NEVER   INT64_MAX

int64_t clock_mono_us(void); /* CLOCK_MONOTONIC: it does not run while the machine is suspended */
int64_t clock_utc_us(void);

#define CLOCK_TEXT_SIZE 32
/* "2026-11-20T18:44:12.518204Z"; before 1970 is its beginning, after 9999 its end. */
void clock_format_utc(int64_t utc_us, char text[static CLOCK_TEXT_SIZE]);

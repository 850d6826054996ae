/* ending - loads go on until they are told to stop, by SIGTERM or SIGINT.
 *
 * Threads: one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* From now on both signals wait to be asked for; what is spawned must not inherit that. */
void ending_prepare(void);
/* Waits so long for one of them; true: it has come. It is taken then. */
bool ending_within(int64_t ns);
/* A descriptor that can be read once one has come. */
int ending_fd(void);
/* Says that the load is there, to whoever reads our standard output. */
void ending_ready(void);

/* age - files that are set aside because their first byte is old; one deadline for all.
 * Threads: the logs' thread only. Ownership: none. */
#pragma once

#include "state.h"

/* When the channel's file is too old (clock_mono_us()); CLOCK_NEVER. */
void age_set(struct channel *ch, int64_t at);
/* The first byte has come. */
void age_begin(struct channel *ch, const struct settings *s);
/* The file was there before us, or the limit has changed. */
void age_look(struct channel *ch, const struct settings *s);
/* Rotates what is due at now. */
void age_run(struct logs *logs, int64_t now);

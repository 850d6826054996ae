/* unit_cause - why a unit is down, in words, from its Result and how its main process ended.
 * Threads: pure. */
#pragma once

#include "unit_props.h"
#include "unit_sentence.h"

/* "status 203, no such executable"; what helps is in it. */
void unit_cause(const char *unit, const struct unit_props *props,
                char text[static UNIT_SENTENCE_SIZE]);
/* That it was started too often, behind what stands in text. */
void unit_cause_limit(const char *unit, char text[static UNIT_SENTENCE_SIZE]);
/* "90s"; "infinity" */
void unit_duration(uint64_t us, char text[static 32]);

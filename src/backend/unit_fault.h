/* unit_fault - why a unit cannot be driven, why a call was refused, and what of its settings goes
 * against ours, each as a sentence that says what would help.
 * Threads: pure. */
#pragma once

#include "unit_outcome.h"

#define UNIT_FAULT_SIZE 256 /* of struct unit_seen */

/* "" when nothing is wrong. nearest: a unit with a name that is near; NULL: none is known. */
void unit_load_fault(const char *unit, const struct unit_props *props, const char *nearest,
                     char text[static UNIT_FAULT_SIZE]);
/* A call about the unit was answered with this error of D-Bus. */
void unit_call_error(enum unit_action action, const char *unit, const char *name,
                     const char *message, char text[static UNIT_SENTENCE_SIZE]);
/* Its own timeouts against the one of our operations. */
void unit_advice(const struct unit_props *props, int64_t timeout_us,
                 char text[static UNIT_FAULT_SIZE]);

/* The call was not answered: whether it was carried out cannot be known. */
bool unit_error_unknown(const char *name);
/* The call has not come to the manager, since there is none for the moment. */
bool unit_error_undelivered(const char *name);

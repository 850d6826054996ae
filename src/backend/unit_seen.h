/* unit_seen - what the core is told of a unit, made of its properties.
 * Threads: pure. */
#pragma once

#include "backend/backend.h"
#include "unit_props.h"

/* All of it but fault and advice, which are ""; two are the same when their bytes are. was: the
 * state that was told last; mount: NULL: no place can be told. */
void unit_seen_make(const struct unit_props *props, const char *mount, enum service_state was,
                    struct unit_seen *ret_seen);

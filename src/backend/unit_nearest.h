/* unit_nearest - a unit with a name like the one that is not there.
 * Threads: pure. */
#pragma once

#include "unit_props.h"

/* files: the answer to ListUnitFilesByPatterns. "" when no name is near. */
void unit_nearest(sd_bus_message *files, const char *unit, char nearest[static UNIT_NAME_SIZE]);

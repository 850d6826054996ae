/* unit_alias - the name that systemd calls a unit by, and the journal with it, when it is asked for
 * by another: sshd.service is ssh.service.
 * Threads: any. Ownership: none. */
#pragma once

#include "model/names.h"

#include <stdbool.h>

#define UNIT_NAME_SIZE 256

/* By the links in the folders of unit files. false: the name is the unit's own, as far as can be
 * told, or it is a template's. */
bool unit_alias(const char *unit, enum bus_type bus, char name[static UNIT_NAME_SIZE]);

/* printed - what a configuration file was understood to say, written down as such a file.
 * Threads: any. Ownership: the text's. */
#pragma once

#include "base/text.h"
#include "config/config.h"

void printed_config(const struct config *config, struct text *t);
void printed_spec(const struct service_spec *spec, struct text *t);

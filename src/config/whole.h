/* whole - what is wrong with a service's file, and what it leaves to be worked out, once all of it
 * has been read. Threads: any. */
#pragma once

#include "loading.h"

void whole_check(struct loading *loading, struct service_spec *spec);

/* shutdown - the last stop of a shutdown has ended; see supervisor_shutdown(). */
#pragma once

#include "host.h"

void shutdown_stops_done(struct host *host);

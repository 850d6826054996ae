/* unit_journal - what systemd's journal has of one unit: what its processes said, and what the
 * manager said of it.
 *
 * Threads: any; what was opened is used by one at a time. Nothing of it is open while nobody reads.
 * Ownership: unit_journal_closep() closes what was opened; descriptors are the caller's. */
#pragma once

#include "base/error.h"
#include "model/names.h"

#include <systemd/sd-journal.h>

static inline void unit_journal_closep(sd_journal **journal)
{
    sd_journal_close(*journal); /* NULL is fine */
}

/* Over all files of this machine, all namespaces of journald too. A field above limit bytes may be
 * cut there. -ENOENT: there is no journal that can be read. */
int unit_journal_open(const char *unit, enum bus_type bus, size_t limit, sd_journal **ret_journal,
                      struct error *err);

/* Asks journald to write what it was sent; once the descriptor is readable, it has. -errno: it
 * can't be asked. */
int unit_journal_write_out(void);

/* journal_private - what a journal is made of.
 * Threads: as each part says. Ownership: journal_close() ends all of it. */
#pragma once

#include "journal/journal.h"
#include "readers.h"
#include "store.h"
#include "writer.h"

struct journal {
    struct store store;
    struct writer writer;
    struct readers readers;
};

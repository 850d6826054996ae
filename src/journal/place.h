/* place - which file on disk is ours: SQLite would go on writing into one that was removed or
 * replaced, and nobody would ever read it.
 * Threads: whoever leads. Ownership: place_deinit() frees. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct place {
    char *path, *folder;
    const char *name; /* of the file in its folder */
    dev_t device;
    ino_t inode; /* 0: none is ours yet */
    mode_t folder_mode;
    uid_t folder_uid;
    gid_t folder_gid;
};

int place_init(struct place *place, const char *path, struct error *err);
void place_deinit(struct place *place);

/* What stands there now is ours. */
void place_note(struct place *place);
/* Whether the path no longer names our file; one that cannot be looked at is not called lost. */
bool place_lost(const struct place *place);
/* Makes the folder anew, as it was, when it is gone. */
int place_make_folder(const struct place *place, struct error *err);

/* file - the few things the daemon does with paths, with errors that name them.
 * Threads: any. Ownership: as each says. */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <sys/types.h>

/* Whole file, NUL-terminated (ret_len does not count it), at most limit bytes: -EFBIG. The
 * caller frees. */
int file_read(const char *path, size_t limit, char **ret_data, size_t *ret_len, struct error *err);
/* Makes the folder and its missing parents, each with mode. */
int file_make_folder(const char *path, mode_t mode, struct error *err);
/* a/b; b alone when it is absolute. The caller frees; NULL without memory. */
char *file_join(const char *folder, const char *name);

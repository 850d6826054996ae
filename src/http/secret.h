/* secret - files that hold secrets: tokens, a private key.
 * Threads: any. Ownership: secret_free() wipes and frees what was read. */
#pragma once

#include "base/error.h"

#include <stddef.h>

/* The whole file, NUL-terminated (ret_len does not count it). Refused: what is no regular file,
 * what others may read or its group may write (looser than 0640), what belongs to somebody who is
 * neither root nor the daemon. The error does not name the path. */
int secret_read(const char *path, size_t limit, char **ret_data, size_t *ret_len,
                struct error *err);
void secret_free(char *data, size_t len); /* NULL is fine */

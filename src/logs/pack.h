/* pack - a file compressed as gzip(1) would, with a field in its head that says what file it was.
 * Threads: any. Ownership: all descriptors are the caller's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* Whether work that takes long is to be given up. */
typedef bool pack_given_up(void *context);

/* Writes what the source holds to pack, packed, with the source's times. 0 or -errno, -ECANCELED.
 */
int pack_file(int source, const struct stat *st, int pack, pack_given_up *given_up, void *context);
/* Whether the packed file was made of one that looked like that. */
bool pack_is_of(int pack, const struct stat *source);

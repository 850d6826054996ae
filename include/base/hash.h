/* hash - FNV-1a: for checksums, names and digests, none of which anybody has reason to forge.
 * Threads: pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HASH_SEED UINT64_C(0xcbf29ce484222325)

/* Goes on from hash, which is HASH_SEED at the beginning. */
uint64_t hash_bytes(uint64_t hash, const void *data, size_t size);
uint64_t hash_text(uint64_t hash, const char *text);

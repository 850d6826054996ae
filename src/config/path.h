/* path - paths as files name them, made absolute. Nothing is looked at on disk: what a service
 * names may hang. Threads: any. Ownership: the caller frees. */
#pragma once

#include <stddef.h>

/* FIFOs, logs and temporary names below a folder must still fit into a path. */
#define FOLDER_MOST 3800
#define PATH_MOST   4095
#define SOCKET_MOST 107

/* text as seen from folder, without "." and empty parts; NULL without memory. */
char *path_absolute(const char *folder, const char *text);
/* The folder that path, an absolute one, lies in. */
char *path_folder(const char *path);
/* NULL, or why no such file can exist. */
const char *path_fault(const char *path, size_t most);

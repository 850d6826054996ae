/* numbers - what stands under a number of a stream's files: nothing, a plain file or a packed one.
 * Threads: any. Ownership: descriptors that are returned are the caller's. */
#pragma once

#include "files.h"

#define HOLE 1 /* how many numbers in a row may be free */

enum form { FORM_PLAIN, FORM_PACKED };
#define FORMS (FORM_PACKED + 1)

#define LOG_NAME_SIZE (LOG_BASE_SIZE + 32)
/* Number 0 is NAME.log; it is always plain. */
const char *number_name(const struct log_files *files, int64_t number, enum form form,
                        char name[static LOG_NAME_SIZE]);

/* 0 or -errno. */
int number_look(const struct log_files *files, int64_t number, enum form form, struct stat *ret_st);
bool number_is_free(const struct log_files *files, int64_t number);
int64_t number_oldest(const struct log_files *files); /* 0: there is none but NAME.log */
/* For reading: a descriptor or -errno. */
int number_open_form(const struct log_files *files, int64_t number, enum form form);
int number_open(const struct log_files *files, int64_t number, bool *ret_packed);
bool same_file(const struct stat *a, const struct stat *b);

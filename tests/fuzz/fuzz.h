/* fuzz - what the targets share: taking an input apart, a folder of their own, and the end when a
 * law is broken. A target's fuzzed bytes come to LLVMFuzzerTestOneInput(); it gives 0 whatever they
 * were, and ends the process by fuzz_fail() when the product did what it never may.
 * Threads: one, the fuzzer's. Ownership: as each says; the folder goes with the process. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Tells what was broken and aborts: that is a finding. */
_Noreturn void fuzz_fail(const char *file, int line, const char *condition, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
#define CHECK(condition, ...)                                                                      \
    ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition, __VA_ARGS__))

/* What has not been taken yet. */
struct input {
    const char *at;
    size_t left;
};

struct input input_of(const uint8_t *data, size_t size);
unsigned input_byte(struct input *input);   /* 0 at the end */
uint64_t input_number(struct input *input); /* eight bytes, those that miss being 0 */
void input_bytes(struct input *input, void *to, size_t size); /* the same of any size */
/* Up to the next line end or the end: the caller's, without the line end, cut at a NUL. */
char *input_line(struct input *input);
/* All that is left: the caller's, as large as it is and a NUL behind it. */
char *input_rest(struct input *input, size_t *ret_size);
/* Up to a line that begins with "%% " or the end; what follows on that line is the name of the next
 * piece. The caller's, both; NULL when nothing is left. */
char *input_piece(struct input *input, size_t *ret_size, char **ret_next_name);

/* A folder for this process, made at first; removed when it ends well (tests/fuzz/run removes those
 * of processes that don't). */
const char *fuzz_folder(void);
/* A file in it, mode 0600. */
void fuzz_write(const char *name, const void *data, size_t size);
/* Removes name in it with all that is below; it need not be there. */
void fuzz_remove(const char *name);
/* The daemon's own log says nothing. */
void fuzz_quiet(void);

/* marks - how far each service has come, in a small mmap'd file in runtime_dir: it survives any
 * death of the daemon, needs no commit, and a full or held disk cannot stop it. The journal tells
 * what was accepted; where the two differ after a crash, the marks are newer.
 *
 * A mark is written whole at every beginning and end of an operation, by two alternating copies
 * with a checksum each, so that a daemon killed in the middle leaves the one before. Marks of
 * another boot are not read.
 *
 * Threads: marks_place() any; mark_write() is for the turn of the service that has the place, one
 * at a time for each place. Ownership: places live until marks_close(); a mark's ends are whoever's
 * it is. */
#pragma once

#include "base/error.h"
#include "journal/journal.h"

struct marks;
struct mark_place;

/* How an operation ended, and those that had joined it: their numbers lie from first to last. */
struct mark_end {
    int64_t first, last; /* 0: none */
    enum operation_state state;
    bool changed;
    int64_t began_utc, at_utc; /* 0: it had not begun */
};
#define MARK_ENDS 8

/* An operation that began, and those that had joined it. */
struct mark_begin {
    int64_t first, last; /* 0: none */
    int64_t generation;  /* the service's then */
    int64_t at_utc, at_mono;
};

struct mark {
    struct service_standing service; /* as it was last, whether the journal has it or not */
    struct mark_begin begun;         /* the last operation that began */
    struct mark_end
        *ends;           /* MARK_ENDS of people's operations, newest first; NULL: none has ended */
    uint64_t spec;       /* spec_digest() of what the instance began with; 0: none lives */
    uint64_t invocation; /* of a unit: which run of it the generation is; 0: none */
};

/* What the last daemon left of a service. */
struct mark_left {
    char service[SERVICE_NAME_MAX + 1];
    struct mark mark; /* without its ends */
    struct mark_end ends[MARK_ENDS];
};

/* runtime_dir/marks, made when it is missing; one that is broken or of another boot is begun anew.
 */
int marks_open(const char *runtime_dir, const char *boot_id, struct marks **ret_marks,
               struct error *err);
void marks_close(struct marks *marks); /* NULL is fine */
/* What the last daemon left of this boot; the caller frees the array. Of several of one service, as
 * a spoilt file may have them, the first is in the service's place. */
int marks_left(struct marks *marks, struct mark_left **ret_left, size_t *ret_count,
               struct error *err);
/* The service's place, the same each time; a new one makes the file larger. NULL: err says why. */
struct mark_place *marks_place(struct marks *marks, const char *service, struct error *err);
/* For the service that the place is of. Never fails, never blocks. */
void mark_write(struct mark_place *place, const char *service, const struct mark *mark);

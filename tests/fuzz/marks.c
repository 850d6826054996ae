/* The marks file, which survives a kill -9 and may be cut off or spoiled anywhere; the first byte
 * says whether checksums are put right. Every mark that is read is sound, and what is written is
 * read again by the next daemon. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "mark_slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define SLOTS_MOST 8 /* that are filled */
#define BOOT       "boot-1"

static struct marks *open_marks(void)
{
    struct marks *marks = NULL;
    struct error err = {0};

    CHECK(marks_open(fuzz_folder(), BOOT, &marks, &err) == 0, "%s", err.text);
    return marks;
}

/* ---- the file ---- */

static void fill_copy(struct mark_copy *copy, struct mark_copy_end ends[static MARK_ENDS],
                      struct input *input)
{
    copy->sequence = input_byte(input);
    copy->state = (uint8_t)input_byte(input);
    copy->goal = (uint8_t)input_byte(input);
    copy->generation = (int64_t)input_number(input);
    input_bytes(input, &copy->begun, sizeof copy->begun);
    copy->ended = (uint8_t)(input_byte(input) % (MARK_ENDS + 2));
    for (size_t i = 0; i < MARK_ENDS && i < copy->ended; i++) {
        ends[i].first = input_byte(input);
        ends[i].last = input_byte(input);
        ends[i].state = input_byte(input);
        ends[i].changed = input_byte(input);
    }
    input_bytes(input, copy->service, 1 + input_byte(input) % sizeof copy->service);
}

static void fill(struct mark_block *block, struct input *input, bool whole)
{
    size_t copies = input_byte(input) % (2 * SLOTS_MOST + 1);

    for (size_t i = 0; i < copies; i++) {
        unsigned where = input_byte(input);
        struct mark_copy *copy = &block->slots[where / 2 % SLOTS_MOST].copies[where % 2].copy;
        struct mark_copy_end *ends = block->ends[where / 2 % SLOTS_MOST].of[where % 2];

        fill_copy(copy, ends, input);
        if (whole && copy->ended <= MARK_ENDS)
            copy->checksum = mark_checksum(copy, ends);
    }
}

/* One that the product has made, with other slots; the rest of the input spoils it, header and all,
 * and cut says where it ends. */
static void make_file(const struct mark_block *block, struct input *input, unsigned cut)
{
    CLEANUP(closep) int fd = -1;
    char path[256];
    off_t size = MARK_HEADER_SIZE + sizeof *block;

    fuzz_remove("marks");
    marks_close(open_marks());
    snprintf(path, sizeof path, "%s/marks", fuzz_folder());
    fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0, "%s", strerror(errno));
    CHECK(pwrite(fd, block, sizeof *block, MARK_HEADER_SIZE) > 0, "%s", strerror(errno));
    while (input->left >= 3) {
        off_t at = (off_t)(input_byte(input) * 256 + input_byte(input)) % size;
        char byte = (char)input_byte(input);

        CHECK(pwrite(fd, &byte, 1, at) == 1, "%s", strerror(errno));
    }
    if (cut > 0)
        CHECK(ftruncate(fd, cut * size / 256) == 0, "%s", strerror(errno));
}

/* ---- reading and writing ---- */

static void check_mark(const struct mark_left *m)
{
    const struct service_standing *standing = &m->mark.service;

    CHECK(m->service[0] && memchr(m->service, '\0', sizeof m->service), "it is nobody's");
    CHECK((size_t)standing->state < service_state_names.count, "state %d", (int)standing->state);
    CHECK((size_t)standing->goal < goal_names.count, "goal %d", (int)standing->goal);
    for (size_t i = 0; i < MARK_ENDS; i++)
        CHECK((size_t)m->ends[i].state < operation_state_names.count, "end %d",
              (int)m->ends[i].state);
}

static bool find_mark(struct marks *marks, const char *name, struct mark_left *ret_left)
{
    CLEANUP(freep) struct mark_left *left = NULL;
    struct error err = {0};
    bool found = false;
    size_t count;

    CHECK(marks_left(marks, &left, &count, &err) == 0, "%s", err.text);
    for (size_t i = 0; i < count; i++) {
        check_mark(&left[i]);
        if (found || strcmp(left[i].service, name) != 0)
            continue; /* of several the first counts: it has the place */
        *ret_left = left[i];
        found = true;
    }
    return found;
}

static void check_writing(const char *name)
{
    struct marks *marks = open_marks();
    struct mark_end ends[MARK_ENDS] = {0};
    struct mark mark = {.spec = 77};
    struct mark_left found = {0};
    struct mark_place *place;
    struct error err = {0};

    find_mark(marks, name, &found);
    place = marks_place(marks, name, &err);
    CHECK(place, "%s: %s", name, err.text);
    CHECK(place == marks_place(marks, name, &err), "%s", name);
    mark_write(place, name, &mark);
    mark.spec = 78;
    mark.ends = ends;
    ends[0] = (struct mark_end){.first = 1, .last = 2, .state = OPERATION_FAILED};
    mark_write(place, name, &mark);
    marks_close(marks);
    marks = open_marks();
    CHECK(find_mark(marks, name, &found), "what was written of %s is gone", name);
    CHECK(found.mark.spec == 78 && found.ends[0].state == OPERATION_FAILED, "%s", name);
    marks_close(marks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = input_of(data, size);
    static struct mark_block block;
    unsigned how = input_byte(&input), cut = input_byte(&input);

    memset(&block, 0, sizeof block);
    fill(&block, &input, how & 1);
    make_file(&block, &input, how & 2 ? cut : 0);
    check_writing("web");
    check_writing("fuzzed");
    return 0;
}

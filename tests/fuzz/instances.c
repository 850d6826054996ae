/* The instance file, which survives a kill -9 and may be cut off or spoiled anywhere. The first
 * byte says whether checksums are put right, so that what they would keep out comes in too. Every
 * record that is read is sound, and what is written afterwards is read again by the next one. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "instance_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define HEADER_SIZE 4096
#define SLOTS_MOST  8

/* Both from the input, short of which they are empty. */
struct image {
    union {
        struct header header;
        char page[HEADER_SIZE];
    } head;
    struct slot slots[SLOTS_MOST];
};

static void repair(struct image *image)
{
    for (size_t i = 0; i < PARENTS; i++) {
        struct parent *p = &image->head.header.parents[i];

        p->path[sizeof p->path - 1] = '\0';
        p->checksum = hash_text(HASH_SEED, p->path);
    }
    for (size_t i = 0; i < SLOTS_MOST; i++)
        for (size_t j = 0; j < 2; j++) {
            struct copy *copy = &image->slots[i].copies[j].copy;

            copy->checksum =
                hash_bytes(HASH_SEED, &copy->sequence, sizeof *copy - sizeof copy->checksum);
        }
}

/* A slot is written as: its number, which copy, and as much of a copy as there is. */
static void fill(struct image *image, struct input *input)
{
    size_t slots = input_byte(input) % (SLOTS_MOST + 1);

    memset(image, 0, sizeof *image);
    for (size_t i = 0; i < slots; i++) {
        unsigned where = input_byte(input);
        struct copy *copy = &image->slots[where / 2 % SLOTS_MOST].copies[where % 2].copy;

        copy->sequence = input_byte(input);
        copy->open = input_byte(input);
        input_bytes(input, copy->data.service, 1 + input_byte(input) % sizeof copy->data.service);
        copy->data.generation = (int64_t)input_number(input);
        copy->data.pid = (int32_t)input_number(input);
        copy->data.phase = input_byte(input);
        copy->data.parent = input_byte(input);
    }
    input_bytes(input, image->head.page, input->left < HEADER_SIZE ? input->left : HEADER_SIZE);
}

static struct instances *open_file(void)
{
    struct instances *f = NULL;
    struct error err = {0};

    CHECK(instances_open(fuzz_folder(), &f, &err) == 0, "%s", err.text);
    return f;
}

static void check_records(struct instances *f)
{
    struct instance_data data;
    char parent[PARENT_PATH_SIZE];

    for (size_t slot = 0; slot < instances_count(f); slot++) {
        if (!instances_read(f, slot, &data))
            continue;
        CHECK(memchr(data.service, '\0', sizeof data.service), "a name without an end");
        if (instances_parent(f, data.parent, parent))
            CHECK(parent[0] == '/' && memchr(parent, '\0', sizeof parent), "a parent without end");
        CHECK(instances_open_record(f, data.service, data.generation), "\"%s\" is not found",
              data.service);
    }
}

static void check_new_record(struct instances *f)
{
    struct instance_data data = {.service = "fuzzed", .generation = INT64_MAX, .pid = 7}, found;
    struct error err = {0};
    size_t slot;

    if (instances_open_record(f, data.service, data.generation)) {
        instances_free(f); /* the very one was made up, and is as good as ours */
        return;
    }
    CHECK(instances_reserve(f, "fuzzed", &slot, &err) == 0, "%s", err.text);
    instances_parent_add(f, "/sys/fs/cgroup/fuzzed", &data.parent);
    instances_write(f, slot, &data);
    instances_mark(f, slot, 1);
    instances_let_go(f, slot, false);
    instances_free(f);
    f = open_file();
    CHECK(instances_claim(f, "fuzzed", INT64_MAX, &slot, &found) == 0, "what was written is gone");
    CHECK(found.pid == 7 && found.phase == 1 && found.parent == data.parent, "it is another");
    instances_let_go(f, slot, true);
    CHECK(!instances_open_record(f, "fuzzed", INT64_MAX), "what was closed is open");
    instances_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = input_of(data, size);
    static struct image image;
    unsigned how = input_byte(&input), cut = input_byte(&input);
    struct instances *f;

    fill(&image, &input);
    if (how & 1)
        repair(&image);
    fuzz_remove("instances");
    fuzz_write("instances", &image, how & 2 ? cut * sizeof image / 256 : sizeof image);
    f = open_file();
    check_records(f);
    check_new_record(f);
    return 0;
}

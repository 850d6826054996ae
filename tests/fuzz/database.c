/* The journal's file, spoiled: three bytes of input each say where and with what, the first of all
 * where it is cut off. It may be refused, or set aside and begun anew, or read as far as that goes;
 * a request is answered in any case, once, and everything is closed again. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "journal/journal.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define OPERATIONS 40
#define PATIENCE   (100 * USEC_PER_MSEC)

static char path[256];
static char *sound; /* the file as it should be */
static size_t sound_size;

static struct journal *open_journal(void)
{
    const struct journal_config config = {
        .path = path, .boot_id = "boot-1", .history_count = 1000, .history_age_us = 0};
    struct journal *journal = NULL;
    struct error err = {0};
    bool aside;

    if (journal_open(&config, &journal, &aside, &err) < 0)
        CHECK(err.text[0], "refused without a reason");
    return journal;
}

/* ---- asking ---- */

struct outcome {
    sem_t reached;
    atomic_int calls;
    int result;
};

static void written(void *context, int result)
{
    struct outcome *outcome = context;

    outcome->result = result;
    atomic_fetch_add(&outcome->calls, 1);
    sem_post(&outcome->reached);
}

static struct operation an_operation(int64_t id)
{
    struct operation op = {.id = id,
                           .service = "web",
                           .action = ACTION_RESTART,
                           .state = id % 3 ? OPERATION_SUCCEEDED : OPERATION_QUEUED,
                           .requested_by = "uid:0",
                           .accepted_utc = id,
                           .timeout_us = 30 * USEC_PER_SEC};

    return op;
}

static int put(struct journal *journal, int64_t id, int64_t give_up_mono)
{
    struct outcome outcome = {0};
    struct operation op = an_operation(id);
    struct service_record service = {.name = "web",
                                     .standing = {.state = STATE_RUNNING, .generation = id}};
    const struct journal_key key = {"uid:0", "key", "restart web", id, false};
    const struct journal_events events = {id, id, id, "state {\"id\":1}\n"};
    const struct journal_entry entry = {.operation = &op,
                                        .service = &service,
                                        .key = id == 1 ? &key : NULL,
                                        .events = &events,
                                        .give_up_mono = give_up_mono,
                                        .done = written,
                                        .context = &outcome};

    sem_init(&outcome.reached, 0, 0);
    CHECK(journal_submit(journal, &entry, 1) == 0, "no memory");
    while (sem_wait(&outcome.reached) < 0)
        continue;
    CHECK(atomic_load(&outcome.calls) == 1, "%d answers", atomic_load(&outcome.calls));
    sem_destroy(&outcome.reached);
    return outcome.result;
}

/* ---- the file ---- */

/* An empty one. */
static void make_folder(void)
{
    char folder[256];

    snprintf(folder, sizeof folder, "%s/journal", fuzz_folder());
    fuzz_remove("journal");
    CHECK(mkdir(folder, 0700) == 0, "%s", strerror(errno));
}

static void make_sound(void)
{
    struct journal_boot boot = {0};
    struct journal *journal;
    struct error err = {0};

    fuzz_quiet();
    snprintf(path, sizeof path, "%s/journal/state.db", fuzz_folder());
    make_folder();
    journal = open_journal();
    CHECK(journal && journal_load(journal, &boot, &err) == 0, "%s", err.text);
    journal_boot_deinit(&boot);
    for (int64_t id = 1; id <= OPERATIONS; id++)
        CHECK(put(journal, id, 0) == 0, "it can't be written");
    journal_close(journal);
    CHECK(file_read(path, 1 << 20, &sound, &sound_size, &err) == 0, "%s", err.text);
}

static void spoil(struct input *input)
{
    CLEANUP(freep) char *copy = malloc(sound_size);
    size_t cut = input_byte(input), size = cut ? cut * sound_size / 256 : sound_size;

    CHECK(copy, "no memory");
    memcpy(copy, sound, sound_size);
    while (input->left >= 4) {
        size_t at = input_byte(input) << 16 | input_byte(input) << 8;

        at |= input_byte(input);
        copy[at % sound_size] = (char)input_byte(input);
    }
    make_folder();
    fuzz_write("journal/state.db", copy, size);
}

/* ---- reading it ---- */

static bool ignore(void *context, char *text)
{
    (void)context, (void)text;
    return true;
}

static void look(struct journal *journal)
{
    struct operation *operations = NULL, op;
    const struct journal_filter filter = {.state = -1, .limit = 100};
    struct journal_key_found key;
    enum journal_find found;
    struct error err = {0};
    size_t count = 0;
    bool known = false;

    if (journal_list(journal, &filter, &operations, &count, &err) == 0)
        for (size_t i = 0; i < count; i++)
            operation_deinit(&operations[i]);
    free(operations);
    if (journal_find(journal, 7, &found, &op, &err) == 0 && found == JOURNAL_FOUND)
        operation_deinit(&op);
    if (journal_find_key(journal, "uid:0", "key", &known, &key, &err) == 0 && known)
        free(key.request);
    journal_read_events(journal, 0, ignore, NULL, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = input_of(data, size);
    struct journal_boot boot = {0};
    struct journal *journal;
    struct error err = {0};

    if (!sound)
        make_sound();
    spoil(&input);
    journal = open_journal();
    if (!journal)
        return 0;
    if (journal_load(journal, &boot, &err) == 0) {
        look(journal);
        put(journal, boot.next_operation_id, clock_mono_us() + PATIENCE);
        journal_boot_deinit(&boot);
    } else {
        CHECK(err.text[0], "it can't be loaded, without a reason");
    }
    journal_close(journal);
    return 0;
}

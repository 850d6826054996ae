/* The text of events in the journal, as the one who follows reads it back: numbers grow, and lie
 * where they were asked for; the rest of a broken row is passed over. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "events.h"
#include "journal/journal.h"

#include <inttypes.h>
#include <semaphore.h>
#include <string.h>

#define FIRST_OF_MEMORY 1000000
#define MOST            50

struct seen {
    int64_t last;
    size_t count;
};

static struct journal *journal;
static struct events events; /* only what follows the journal's is in memory: nothing */

static void open_journal(void)
{
    static char path[256];
    struct journal_config config = {.path = path, .boot_id = "boot-1"};
    struct error err = {0};
    bool aside;

    fuzz_quiet();
    snprintf(path, sizeof path, "%s/state.db", fuzz_folder());
    CHECK(journal_open(&config, &journal, &aside, &err) == 0, "%s", err.text);
    events_init(&events, NULL);
    events_begin(&events, journal, FIRST_OF_MEMORY);
}

struct outcome {
    sem_t reached;
    int result;
};

static void written(void *context, int result)
{
    struct outcome *outcome = context;

    outcome->result = result;
    sem_post(&outcome->reached);
}

static void put(const char *text)
{
    struct outcome outcome;
    const struct journal_events row = {.first = 1, .last = 999, .at_utc = 1, .text = text};
    const struct journal_entry entry = {.events = &row, .done = written, .context = &outcome};

    sem_init(&outcome.reached, 0, 0);
    CHECK(journal_submit(journal, &entry, 1) == 0, "no memory");
    while (sem_wait(&outcome.reached) < 0)
        continue;
    CHECK(outcome.result == 0, "%d", outcome.result);
    sem_destroy(&outcome.reached);
}

static void see(void *context, int64_t id, enum event_kind kind, const char *json)
{
    struct seen *seen = context;

    CHECK(id > seen->last && id < FIRST_OF_MEMORY, "%" PRId64 " behind %" PRId64, id, seen->last);
    CHECK((size_t)kind < event_kind_names.count, "kind %d", (int)kind);
    CHECK(strncmp(json, "{\"id\":", 6) == 0 && !strchr(json, '\n'), "%s", json);
    seen->last = id;
    seen->count++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = input_of(data, size);
    struct seen seen = {.last = input_byte(&input)};
    CLEANUP(freep) char *text = input_rest(&input, &size);
    const struct event_visitor visitor = {see, &seen};
    struct error err = {0};

    if (!journal)
        open_journal();
    put(text);
    CHECK(events_read(&events, seen.last, MOST, &visitor, &err) == 0, "%s", err.text);
    CHECK(seen.count <= MOST, "%zu events", seen.count);
    return 0;
}

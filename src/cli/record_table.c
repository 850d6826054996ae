/* Operations in columns. */
#include "record.h"

#include "fields.h"
#include "table.h"
#include "when.h"

#include "base/clock.h"

#include <string.h>

static enum colour colour_of(const char *state)
{
    if (strcmp(state, "succeeded") == 0)
        return COLOUR_GOOD;
    if (strcmp(state, "failed") == 0 || strcmp(state, "timed_out") == 0)
        return COLOUR_BAD;
    return COLOUR_BUSY;
}

static void add_action(struct table *table, const json_t *record)
{
    struct text action = {0};

    record_action(record, &action);
    table_add(table, COLOUR_NONE, "%s", action.data ? action.data : "");
    text_deinit(&action);
}

/* The number, or nothing. */
static void add_number(struct table *table, const json_t *record, const char *key)
{
    if (field_given(record, key))
        table_add(table, COLOUR_NONE, "%lld", (long long)field_int(record, key));
    else
        table_add(table, COLOUR_NONE, "%s", "");
}

/* "waiting for redis", "along with 42" */
static void add_note(struct table *table, const json_t *record)
{
    if (field_given(record, "coalesced_into"))
        table_add(table, COLOUR_NONE, "along with %lld",
                  (long long)field_int(record, "coalesced_into"));
    else
        table_add(table, COLOUR_NONE, "%s%s",
                  field_given(record, "waiting_for") ? "waiting for " : "",
                  field_string(record, "waiting_for"));
}

static void add_row_of_history(struct table *table, const json_t *record)
{
    const char *state = field_string(record, "state");
    int64_t took_us = record_duration(record);
    char when[WHEN_TEXT_SIZE], took[WHEN_TEXT_SIZE] = "";

    when_show(field_string(record, "accepted_at"), when);
    if (took_us >= 0)
        when_exact(took_us, took);
    table_add(table, COLOUR_NONE, "%lld", (long long)field_int(record, "id"));
    table_add(table, COLOUR_NONE, "%s", field_string(record, "service"));
    add_action(table, record);
    table_add(table, colour_of(state), "%s", state);
    table_add(table, COLOUR_NONE, "%s", when);
    table_add(table, COLOUR_NONE, "%s", took);
    table_add(table, COLOUR_NONE, "%s", field_string(record, "requested_by"));
    add_number(table, record, "batch");
    table_add(table, COLOUR_NONE, "%s", field_string(record, "reason"));
    add_note(table, record);
    table_add(table, COLOUR_NONE, "%s", field_string(record, "detail"));
}

void record_print_history(const json_t *list, const struct screen *screen)
{
    static const char *const headers[] = {"ID",       "SERVICE", "ACTION",       "STATE",
                                          "ACCEPTED", "TOOK",    "REQUESTED BY", "BATCH",
                                          "REASON",   "NOTE",    "DETAIL"};
    struct table table = {.headers = headers, .columns = sizeof headers / sizeof *headers};
    const json_t *record;
    size_t i;

    json_array_foreach(list, i, record) add_row_of_history(&table, record);
    table_print(&table, screen);
    table_deinit(&table);
}

static void add_row_of_queue(struct table *table, const json_t *record, int64_t now)
{
    char age[WHEN_TEXT_SIZE];
    const char *state = field_string(record, "state");

    when_rough(now - when_parse(field_string(record, "accepted_at")), age);
    table_add(table, COLOUR_NONE, "%lld", (long long)field_int(record, "id"));
    table_add(table, COLOUR_NONE, "%s", field_string(record, "service"));
    add_action(table, record);
    table_add(table, colour_of(state), "%s", state);
    table_add(table, COLOUR_NONE, "%lld", (long long)field_int(record, "position"));
    table_add(table, COLOUR_NONE, "%s", age);
    table_add(table, COLOUR_NONE, "%s", field_string(record, "requested_by"));
    add_number(table, record, "batch");
    table_add(table, COLOUR_NONE, "%s", field_string(record, "reason"));
    add_note(table, record);
}

void record_print_queue(const json_t *list, const struct screen *screen)
{
    static const char *const headers[] = {"ID",  "SERVICE",      "ACTION", "STATE",  "BEFORE",
                                          "AGE", "REQUESTED BY", "BATCH",  "REASON", "NOTE"};
    struct table table = {.headers = headers, .columns = sizeof headers / sizeof *headers};
    int64_t now = clock_utc_us();
    const json_t *record;
    size_t i;

    json_array_foreach(list, i, record) add_row_of_queue(&table, record, now);
    table_print(&table, screen);
    table_deinit(&table);
}

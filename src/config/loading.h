/* loading - one file on its way into its record.
 * Threads: none of its own. Ownership: loading_deinit() frees what it holds itself; record, report
 * and folder are the caller's. */
#pragma once

#include "config/config.h"
#include "field.h"
#include "reader.h"
#include "report.h"

/* Whom a service is to run as: looked up key by key, put together by identity_settle(). */
struct identity_draft {
    bool has_user, has_primary, has_group;
    char *user, *home;
    uid_t uid;
    gid_t primary, group; /* the user's own group; the one that `group` names */
    gid_t *extra;
    size_t extra_count;
};

struct loading {
    const struct file_kind *kind;
    void *record; /* struct config or struct service_spec, as kind says */
    struct report *report;
    const char *folder;               /* relative paths start there */
    struct place places[FIELDS_MOST]; /* where each key's value stands; line 0: not written */
    bool refused[FIELDS_MOST];        /* what stands there is wrong */
    struct place sections[SECTIONS_MOST];
    struct identity_draft who;
};

void loading_deinit(struct loading *loading);
/* Sets what has a default that can be written in a file. */
void loading_defaults(struct loading *loading);
/* Reads text, which is cut up. text[len] must be writable. */
void loading_read(struct loading *loading, char *text, size_t len);
/* Where a key's value stands; line 0: it is not written. */
struct place loading_place(const struct loading *loading, const char *section, const char *name);
/* Whether it is written, but wrong: what it would have been can't be reasoned about. */
bool loading_refused(const struct loading *loading, const char *section, const char *name);
void loading_out_of_memory(struct loading *loading);

/* A value on its way into the record. */
struct setting {
    const struct field *field;
    const char *text;
    size_t offset;               /* in the line that reader stands in */
    const struct reader *reader; /* NULL: a default */
    struct loading *loading;
};

void *setting_target(const struct setting *setting);
struct place setting_place(const struct setting *setting, size_t at);
/* Reports what is wrong at byte `at` of the value. */
void setting_refuse(const struct setting *setting, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "expected ...; got ...". */
void setting_expected(const struct setting *setting);
/* Puts a string, which may be NULL for want of memory, in the place of the one that is there. */
void setting_put_string(const struct setting *setting, char *string);
/* Words separated by blanks or commas, each valid (NULL: any is), none twice; false: one is wrong,
 * and reported. */
bool setting_names(const struct setting *setting, bool (*valid)(const char *),
                   struct string_list *ret_names);
/* At which byte of the value the word of that index begins. */
size_t setting_name_at(const struct setting *setting, size_t index);

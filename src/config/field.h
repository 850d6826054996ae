/* field - the table of everything that may stand in the two kinds of files: what each key is
 * called, what it takes, what it is when it is not written, what it is for, and where it goes.
 * Reading, error messages and --help-config all come from it. Threads: any; everything is constant.
 */
#pragma once

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A word that a key takes. */
struct choice {
    const char *word; /* NULL: the end of the list */
    int value;
    bool later; /* known, but not built into this version */
};

struct field;
struct setting;

/* What kind of value a key takes. */
struct value_type {
    const char *name;    /* for the reference: "duration" */
    const char *expects; /* for errors: "a duration such as 500ms, 30s or 5m" */
    /* How a limit of the range is written; NULL: the type has no range. */
    void (*format)(int64_t value, char *text);
    /* Puts the value into its record, or reports why not. */
    void (*set)(const struct setting *setting);
    /* Whether two values in their records are the same; NULL: a type of services only. */
    bool (*same)(const void *a, const void *b);
    bool may_be_empty;
};

#define NOWHERE SIZE_MAX

/* Which services a key, or all of a section, is for: by their backend. */
enum scope { FOR_ANY, FOR_PROCESSES, FOR_UNITS };

struct field {
    const char *section, *name;
    const struct value_type *type; /* NULL: later */
    size_t offset;                 /* in struct config or struct service_spec; or NOWHERE */
    int64_t min, max;              /* of the types that have a range */
    const struct choice *choices;  /* of those that are words */
    const char *fallback;          /* the default, as one would write it; NULL: nothing */
    const char *fallback_note;     /* the default in words, where it is not the same everywhere */
    const char *doc;
    enum scope scope;  /* beside that of its section */
    bool waits;        /* a reload can't apply it: the next daemon, or instance, takes it up */
    const char *later; /* a feature that is not built into this version: "memory limits are" */
};

struct section {
    const char *name, *doc;
    const char *later;
    enum scope scope;
};

#define SECTIONS_MOST 8
#define FIELDS_MOST   64

struct file_kind {
    const char *title;
    const char *waits_note; /* for the reference: behind the keys that wait */
    const struct section *sections;
    size_t section_count;
    const struct field *fields;
    size_t field_count;
};
extern const struct file_kind supervisor_file, service_file;

/* The index, or -1. */
int section_find(const struct file_kind *kind, const char *name);
int field_find(const struct file_kind *kind, const char *section, const char *name);
/* Its own, or that of its section. */
enum scope field_scope(const struct file_kind *kind, const struct field *field);

/* "a duration such as 500ms, 30s or 5m, from 0s to 24h", "always, on-failure or no" */
void field_expects(const struct field *field, struct text *t);
/* "duration, 0s to 24h", "always|on-failure|no" */
void field_describe(const struct field *field, struct text *t);
/* What to say of a section or key that is not known. */
void section_suggest(const struct file_kind *kind, const char *typed, struct text *t);
void field_suggest(const struct file_kind *kind, const char *section, const char *typed,
                   struct text *t);

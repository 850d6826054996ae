/* config - supervisor.conf and the files of services.d: a strict reader that tells every error at
 * once, with file, line, column, key, what was expected and the nearest right one. Threads: any;
 * loading touches no shared state (it does look users and groups up). Ownership: config_free(),
 * service_set_deinit(), problems_deinit(); specs are reference-counted. */
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "model/service_spec.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* One thing that is wrong (or, as a warning, unwise) in a file. */
struct problem {
    bool warning;
    char *file;
    int line, column; /* 0: the file as a whole */
    char *key;        /* NULL: none */
    char *message;
};

struct problems {
    struct problem *items;
    size_t count;
};

void problems_deinit(struct problems *problems);
size_t problems_errors(const struct problems *problems); /* how many are not warnings */
void problems_drop_warnings(struct problems *problems);
/* "FILE:LINE:COLUMN: error: KEY: MESSAGE", a line each. */
void problems_print(const struct problems *problems, FILE *to);

/* supervisor.conf. Paths are absolute, defaults filled in for the user who runs it. */
struct config {
    char *file;
    /* [daemon] */
    char *state_dir, *runtime_dir, *log_dir, *services_dir;
    int64_t workers; /* 0: as many as processors, at least 2 */
    int64_t shutdown_timeout_us;
    bool resume; /* take up the goals of last time; no: autostart alone decides */
    enum log_level log_level;
    enum log_target log_target;
    /* [api] */
    char *socket;
    char *group;      /* NULL: none */
    char *listen;     /* "127.0.0.1:8091"; NULL: no TCP */
    char *token_file; /* default: token in state_dir */
    /* What Host may say, beside loopback: small letters, IPv6 addresses in brackets; one with a
     * port goes for that port alone. */
    struct string_list server_names;
    char *tls_cert, *tls_key; /* PEM files; NULL: no TLS */
    bool allow_plain_http;    /* off loopback without TLS */
    /* [operations] */
    int64_t timeout_us; /* default of services that set none */
    int64_t queue_limit, queue_limit_total;
    int64_t history_count, history_age_us;
    /* [journal] */
    bool durability_full;
};

#define CONFIG_DEFAULT_PATH "/etc/orderly/supervisor.conf"

/* Reads path. NULL when it holds an error or cannot be read; problems are appended either way. */
struct config *config_load(const char *path, struct problems *problems);
void config_free(struct config *config); /* NULL is fine */

/* Whether TCP is listened to on another address than loopback. */
bool config_off_loopback(const struct config *config);

/* The keys ("api.listen") in which b differs from a and which a running daemon cannot take up.
 * 0 or -ENOMEM. */
int config_needs_restart(const struct config *a, const struct config *b,
                         struct string_list *ret_keys);

/* A services.d file that was refused: its first error stands for it. */
struct refused_service {
    char *name, *file, *message;
    int line;
};

struct service_set {
    struct service_spec **specs; /* a reference each, ordered by name */
    size_t count;
    struct refused_service *refused;
    size_t refused_count;
};

/* Reads every NAME.conf of services_dir (dot files are skipped) and checks the graph of requires,
 * wants and after. One bad file never takes another down: it is refused, its problems are appended,
 * the others stand. -errno only when the folder itself cannot be read. */
int config_load_services(const struct config *config, struct service_set *ret_set,
                         struct problems *problems, struct error *err);
void service_set_deinit(struct service_set *set);
/* Refuses specs[index] for something that only the supervisor can judge (a limit that this place
 * cannot keep): it becomes one of set->refused and a problem. 0 or -ENOMEM with nothing changed. */
int service_set_refuse(struct service_set *set, size_t index, const char *key, const char *message,
                       struct problems *problems);

/* Reads everything as at a start; tells every error and warning, or how many services there are.
 * False: there are errors. */
bool config_check(const char *path, FILE *out, FILE *complaints);

/* The whole reference of both files: sections, keys, types, ranges, defaults. */
void config_print_help(FILE *to);

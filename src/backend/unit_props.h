/* unit_props - what systemd says of a unit: the properties that matter here, out of the answer to
 * GetAll or out of PropertiesChanged, which have one form.
 * Threads: a plain value. Ownership: nothing to free. */
#pragma once

#include "model/exit_cause.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct sd_bus_message sd_bus_message;

#define UNIT_NAME_SIZE 256 /* systemd's own bound, with the end */
#define UNIT_TEXT_SIZE 200

struct unit_props {
    char id[UNIT_NAME_SIZE]; /* its first name: that of an alias is another */
    char load_state[16], load_error[UNIT_TEXT_SIZE];
    char active[24], sub[32];
    char result[24], reload_result[24]; /* of the service, of its last reload */
    char type[16], restart[16], kill_mode[16];
    char control_group[256];
    uint8_t invocation[16]; /* all zero: it has not run since it was loaded */
    int64_t main_pid, restarts;
    int64_t exit_code, exit_status; /* ExecMainCode: as si_code of a SIGCHLD; 0: has not ended */
    uint64_t start_timeout_us, stop_timeout_us; /* UINT64_MAX: none */
    uint64_t watchdog_us;
    uint64_t condition_at, assert_at; /* when they were tried last; 0: never */
    uint64_t active_at, inactive_at;  /* UTC, since when it is so; 0: never */
    uint32_t job;                     /* 0: none stands */
    char job_path[64];
    bool needs_reload, transient, remains, condition_met, assert_met;
    char condition[UNIT_TEXT_SIZE], assertion[UNIT_TEXT_SIZE]; /* the first that was not met; "" */
    char requires[1024]; /* the names of what it cannot be without, a space after each */
};

/* Reads a{sv} into props; what is not in it stays as it was. 0 or -errno. */
int unit_props_read(struct unit_props *props, sd_bus_message *message);
/* All zero but what is otherwise when nothing is said. */
void unit_props_init(struct unit_props *props);
/* A unit that has been unloaded and loaded again has forgotten how it ended: old has not. */
void unit_props_carry(struct unit_props *props, const struct unit_props *old);

bool unit_props_has_run(const struct unit_props *props);
struct exit_cause unit_props_exit(const struct unit_props *props);

/* instances - the file in runtime_dir that tells the next daemon what runs.
 *
 * A header, then slots of two copies each: a copy has a sequence number and a checksum, and a
 * write goes to the older or broken one of the two, so that a death in the middle of it leaves the
 * other. The file is allocated ahead of need and mapped: a full disk or a kill -9 takes nothing
 * from it. A slot stays with its service's name, for the next start.
 *
 * Threads: any; one lock within. Ownership: a slot is its reserver's until it is let go. */
#pragma once

#include "backend/process.h"

struct instances;

struct instance_data {
    char service[SERVICE_NAME_MAX + 1];
    int64_t generation;
    uint64_t boot;    /* hash of the boot identity */
    int32_t pid;      /* of the main process; 0: not known */
    int32_t executor; /* that stays above it; 0: none */
    uint64_t ticks;   /* start of the main process */
    uint64_t executor_ticks;
    int64_t started_mono;
    uint32_t phase;
    uint32_t parent; /* of its group, a number of instances_parent(); ~0: no group */
};
#define NO_PARENT UINT32_MAX

/* Makes or reads runtime_dir/instances. */
int instances_open(const char *runtime_dir, struct instances **ret_instances, struct error *err);
void instances_free(struct instances *instances); /* what is written stays; NULL is fine */

/* A slot for a new record of that service. */
int instances_reserve(struct instances *instances, const char *service, size_t *ret_slot,
                      struct error *err);
/* The open record of that instance, made the caller's: 0, or -ENOENT. */
int instances_claim(struct instances *instances, const char *service, int64_t generation,
                    size_t *ret_slot, struct instance_data *ret_data);
bool instances_open_record(struct instances *instances, const char *service, int64_t generation);
void instances_write(struct instances *instances, size_t slot, const struct instance_data *data);
void instances_mark(struct instances *instances, size_t slot, enum instance_phase phase);
void instances_set_main(struct instances *instances, size_t slot, pid_t pid, uint64_t ticks);
/* Lets the slot go; closed: the record is no more, else it stays for the next daemon. */
void instances_let_go(struct instances *instances, size_t slot, bool closed);

/* Every slot's open record in turn; false: slot holds none. */
size_t instances_count(struct instances *instances);
bool instances_read(struct instances *instances, size_t slot, struct instance_data *ret_data);

/* The folders that groups are made in, few and long, are kept once. -ENOSPC, -ENAMETOOLONG. */
#define PARENT_PATH_SIZE 480
int instances_parent_add(struct instances *instances, const char *path, uint32_t *ret_parent);
/* False: there is none of that number. */
bool instances_parent(struct instances *instances, uint32_t parent, char path[PARENT_PATH_SIZE]);

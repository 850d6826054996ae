/* supervisor_private - the supervisor whole, for the files that open, ask, reload and close it.
 * Threads and ownership: see core/supervisor.h; `reloading` makes reloads one at a time. */
#pragma once

#include "backend/process.h"
#include "backend/systemd.h"
#include "core/supervisor.h"
#include "host.h"
#include "keys.h"
#include "ping.h"
#include "registry.h"

struct supervisor {
    struct host host;
    struct registry registry;
    struct keys keys;
    struct process_capabilities capabilities;
    char boot[BOOT_IDENTITY_SIZE];
    bool unclean;                 /* the last daemon of this boot did not close its journal */
    int runtime_lock, state_lock; /* held for as long as we live */
    struct lock reloading;
    struct config *latest; /* of the last reload that could read supervisor.conf; under reloading */
    int64_t since_utc;
    pthread_t closer;
    bool closer_started;
    atomic_bool shutting_down, leave;
    void (*closed)(void *context);
    void *closed_context;
    struct ping ping;
};

/* boot.c: services from their files, instances from the last daemon, operations from the journal;
 * then what is to run is begun. Before the workers start. */
int boot_services(struct supervisor *supervisor, struct service_set *set, struct error *err);
/* adopt.c: takes over every instance that was left. */
int boot_adopt(struct supervisor *supervisor, struct error *err) REQUIRES(registry_lock_class);
/* requeue.c: an operation that had not ended, in the order of their ids. */
void boot_requeue(struct supervisor *supervisor, struct operation *operation);
/* Services whose limits cannot be kept here, or whose unit is our own, are refused. 0 or -ENOMEM.
 */
int boot_refuse_impossible(struct supervisor *supervisor, struct service_set *set,
                           struct problems *problems);
/* A service that came with a reload: on the board, and started if it is to be. */
struct service *boot_add_service(struct supervisor *supervisor, struct service_spec *spec)
    REQUIRES(registry_lock_class);

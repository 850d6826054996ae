/* systemd - the calls of the core: each leaves mail for the bus thread and returns. */
#include "backend/systemd.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "bus_connection.h"
#include "bus_thread.h"
#include "own_group.h"
#include "systemd_backend.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

void mail_lock(struct systemd_backend *b) NO_THREAD_SAFETY_CHECK
{
    lock_take(&b->lock);
}

void mail_unlock(struct systemd_backend *b) NO_THREAD_SAFETY_CHECK
{
    lock_release(&b->lock);
}

void mail_post(struct unit *u)
{
    struct systemd_backend *b = u->backend;

    list_remove(&u->mail.link);
    list_append(&b->inbox, &u->mail.link);
    eventfd_write(b->wake, 1);
}

/* ---- an instance's life ---- */

static struct unit *new_unit(struct systemd_backend *b, const struct service_spec *spec,
                             void *owner) NO_THREAD_SAFETY_CHECK /* nobody else has it yet */
{
    struct unit *u = calloc(1, sizeof *u);

    if (!u)
        return NULL;
    u->base.ops = &systemd_ops;
    u->base.containment = CONTAINMENT_SYSTEMD;
    u->backend = b;
    u->bus = &b->buses[spec->bus];
    u->owner = owner;
    u->spec = spec_ref((struct service_spec *)spec); /* the count alone changes */
    u->timeout_us = u->mail.timeout_us = spec->timeout_us;
    list_init(&u->link);
    list_init(&u->busy);
    u->job.look_at = CLOCK_NEVER;
    list_init(&u->mail.link);
    unit_props_init(&u->props);
    return u;
}

static int start_thread(struct systemd_backend *b) REQUIRES(mail_lock_class)
{
    return b->running ? 0 : bus_thread_start(b);
}

static int systemd_adopt(struct backend *backend, const struct service_spec *spec,
                         const struct instance_record *record, void *owner,
                         struct instance **ret_instance, struct error *err)
{
    struct systemd_backend *b = systemd_of(backend);
    struct unit *u = new_unit(b, spec, owner);
    int r;

    (void)record;
    if (!u)
        return error_set(err, -ENOMEM, "watch %s: %m", spec->unit);
    mail_lock(b);
    r = start_thread(b);
    if (r == 0) {
        *ret_instance = &u->base;
        mail_post(u);
    }
    mail_unlock(b);
    if (r < 0) {
        spec_unref(u->spec);
        free(u);
        return error_set(err, r, "start the thread for systemd's units: %m");
    }
    return 0;
}

/* The thread frees it; here only an event of it that is being told is waited for. */
static void systemd_release(struct instance *instance)
{
    struct unit *u = unit_of(instance);
    struct systemd_backend *b = u->backend;

    mail_lock(b);
    u->mail.released = true;
    if (!pthread_equal(pthread_self(), b->thread)) {
        b->waiters++;
        while (b->telling == u)
            cond_wait(&b->told, &b->lock);
        b->waiters--;
    }
    mail_post(u);
    mail_unlock(b);
}

/* ---- what is asked of it ---- */

/* The newest order is the one that counts: one that the thread has not taken yet is void. */
static void order(struct unit *u, enum unit_action action, int signal, int64_t timeout_us)
{
    struct systemd_backend *b = u->backend;

    mail_lock(b);
    u->mail.order = (struct unit_order){action, ++u->base.request, signal};
    u->mail.ordered = true;
    u->mail.kill_before |= u->mail.kill_after;
    u->mail.kill_after = false;
    if (timeout_us)
        u->mail.timeout_us = timeout_us;
    mail_post(u);
    mail_unlock(b);
}

static int systemd_start(struct backend *backend, const struct launch *launch, void *owner,
                         struct instance **ret_instance, struct error *err)
{
    (void)backend;
    (void)owner;
    (void)err;
    order(unit_of(*ret_instance), launch->restart ? UNIT_RESTART : UNIT_START, 0,
          launch->spec->timeout_us);
    return 0;
}

static int systemd_reload(struct instance *instance, const struct launch *launch, struct error *err)
{
    (void)err;
    order(unit_of(instance), UNIT_RELOAD, 0, launch->spec->timeout_us);
    return 0;
}

static void order_kill(struct unit *u)
{
    mail_lock(u->backend);
    if (u->mail.ordered)
        u->mail.kill_after = true;
    else
        u->mail.kill_before = true;
    mail_post(u);
    mail_unlock(u->backend);
}

static void order_forget(struct unit *u)
{
    mail_lock(u->backend);
    u->mail.ordered = false;
    u->mail.forget = true;
    mail_post(u);
    mail_unlock(u->backend);
}

static int systemd_signal(struct instance *instance, int signal, enum reach reach,
                          struct error *err)
{
    struct unit *u = unit_of(instance);

    (void)err;
    switch (reach) {
    case REACH_MAIN: order(u, UNIT_SIGNAL, signal, 0); break;
    case REACH_GROUP: order(u, UNIT_STOP, 0, 0); break;
    case REACH_TREE: order_kill(u); break;
    case REACH_RELOAD: order_forget(u); break;
    }
    return 0;
}

/* systemd itself knows how far a unit is. */
static void systemd_mark(struct instance *instance, enum instance_phase phase)
{
    (void)instance;
    (void)phase;
}

const struct backend_ops systemd_ops = {
    .start = systemd_start,
    .adopt = systemd_adopt,
    .signal = systemd_signal,
    .reload = systemd_reload,
    .mark = systemd_mark,
    .release = systemd_release,
};

/* ---- the backend's life ---- */

static void free_backend(struct systemd_backend *b)
{
    if (b->wake >= 0)
        close(b->wake);
    free(b->cgroup_mount);
    cond_deinit(&b->told);
    lock_deinit(&b->lock);
    free(b);
}

static void init_parts(struct systemd_backend *b) NO_THREAD_SAFETY_CHECK /* no thread yet */
{
    lock_init(&b->lock, LOCK_UNITS);
    cond_init(&b->told);
    list_init(&b->inbox);
    for (int i = 0; i < BUSES; i++) {
        bus_init(&b->buses[i], b, (enum bus_type)i);
        own_unit((enum bus_type)i, b->own_unit[i]);
        snprintf(b->health[i], sizeof b->health[i], "unused");
    }
}

int systemd_backend_new(backend_listener *listener, struct backend **ret_backend, struct error *err)
{
    struct systemd_backend *b = calloc(1, sizeof *b);
    int r;

    if (!b)
        return error_set(err, -ENOMEM, "open the systemd backend: %m");
    b->base.ops = &systemd_ops;
    b->listener = listener;
    init_parts(b);
    b->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    r = b->wake < 0 ? -errno : cgroup_mount_point(&b->cgroup_mount);
    if (r < 0) {
        free_backend(b);
        return error_set(err, r, "open the systemd backend: %m");
    }
    *ret_backend = &b->base;
    return 0;
}

static bool tell_to_stop(struct systemd_backend *b)
{
    bool running;

    mail_lock(b);
    b->stopping = true;
    running = b->running;
    eventfd_write(b->wake, 1);
    mail_unlock(b);
    return running;
}

void systemd_backend_free(struct backend *backend)
{
    struct systemd_backend *b;

    if (!backend)
        return;
    b = systemd_of(backend);
    if (tell_to_stop(b))
        pthread_join(b->thread, NULL);
    free_backend(b);
}

bool systemd_backend_can_drive(const struct service_spec *spec, char text[static 256])
{
    char own[UNIT_NAME_SIZE];

    own_unit(spec->bus, own);
    if (strcmp(own, spec->unit) != 0)
        return true;
    snprintf(text, 256, "%.200s is the unit that Orderly itself runs in", own);
    return false;
}

void systemd_backend_health(struct backend *backend, enum bus_type bus, char text[static 256])
{
    struct systemd_backend *b = systemd_of(backend);

    mail_lock(b);
    memcpy(text, b->health[bus], sizeof b->health[bus]);
    mail_unlock(b);
}

#include "bus_connection.h"

#include "base/clock.h"
#include "unit_job.h"
#include "unit_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define MESSAGES_AT_ONCE 64
#define FIRST_DELAY      (50 * USEC_PER_MSEC)
#define LONGEST_DELAY    (5 * USEC_PER_SEC)
#define ANSWER_PATIENCE  (10 * USEC_PER_SEC) /* of the first one on a new connection */

static void set_health(struct bus *bus)
{
    struct systemd_backend *b = bus->backend;
    char *health = NULL;

    mail_lock(b);
    health = b->health[bus->type];
    if (bus->state == BUS_UNUSED)
        say(health, sizeof b->health[0], "unused");
    else if (bus_ready(bus))
        say(health, sizeof b->health[0], "ok");
    else
        say(health, sizeof b->health[0], "%s", bus->reason);
    mail_unlock(b);
}

void bus_init(struct bus *bus, struct systemd_backend *backend, enum bus_type type)
{
    bus->backend = backend;
    bus->type = type;
    bus->retry_at = bus->away_since = CLOCK_NEVER;
    list_init(&bus->units);
    list_init(&bus->busy);
    bus_calls_init(&bus->calls);
}

bool bus_ready(const struct bus *bus)
{
    return bus->state == BUS_UP && bus->manager;
}

/* ---- going away and coming back ---- */

static void set_away(struct bus *bus)
{
    if (bus->away_since == CLOCK_NEVER)
        bus->away_since = clock_mono_us();
    set_health(bus);
}

static void load_units(struct bus *bus)
{
    list_for_each(link, &bus->units) unit_load(list_entry(link, struct unit, link));
}

static void set_present(struct bus *bus)
{
    bus->manager = true;
    bus->tries = 0;
    bus->away_since = CLOCK_NEVER;
    bus->away_told = false;
    set_health(bus);
    load_units(bus);
}

/* Doubling, and half of it left to chance, so that many daemons do not come all at once. */
static int64_t next_delay(unsigned tries)
{
    int64_t delay = tries < 7 ? FIRST_DELAY << tries : LONGEST_DELAY;
    uint32_t chance = 0;

    if (delay > LONGEST_DELAY)
        delay = LONGEST_DELAY;
    if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) < 0)
        chance = (uint32_t)clock_mono_us();
    return delay / 2 + chance % (uint32_t)(delay / 2 + 1);
}

/* systemd may have lost our references; to make one twice does no harm. */
static void disconnect_units(struct bus *bus)
{
    list_for_each(link, &bus->units)
    {
        struct unit *u = list_entry(link, struct unit, link);

        job_disconnected(u);
        unit_disconnect(u);
        u->referenced = false;
    }
    bus->references = 0;
}

static void drop_connection(struct bus *bus)
{
    disconnect_units(bus);
    bus_calls_clear(&bus->calls);
    bus->connection = sd_bus_close_unref(bus->connection);
    bus->manager = bus->broken = false;
}

static void lose(struct bus *bus)
{
    drop_connection(bus);
    bus->state = BUS_AWAY;
    bus->retry_at = clock_mono_us() + next_delay(bus->tries++);
    set_away(bus);
}

static void blame(struct bus *bus, const char *what)
{
    if (bus->broken)
        return; /* the first cause is the one that counts */
    bus->broken = true;
    say(bus->reason, sizeof bus->reason, "%s", what);
}

/* ---- what is heard on it ---- */

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct bus *bus = userdata;
    const char *path, *unit, *result;
    uint32_t id;

    (void)error;
    if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
        return 0;
    list_for_each_safe(link, &bus->busy)
        job_removed(list_entry(link, struct unit, busy), path, unit, result);
    list_for_each(link, &bus->units)
        unit_job_removed(list_entry(link, struct unit, link), unit, result);
    return 0;
}

static int on_properties_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct bus *bus = userdata;
    const char *path = sd_bus_message_get_path(m);

    (void)error;
    list_for_each(link, &bus->units)
    {
        struct unit *u = list_entry(link, struct unit, link);

        if (!u->path || !path || strcmp(u->path, path) != 0)
            continue;
        if (sd_bus_message_rewind(m, true) < 0)
            return 0;
        unit_changed(u, m);
    }
    return 0;
}

static int on_reloading(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct bus *bus = userdata;
    int begins;

    (void)error;
    if (sd_bus_message_read(m, "b", &begins) < 0 || begins || !bus_ready(bus))
        return 0;
    load_units(bus);
    return 0;
}

static int on_subscribed_again(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    (void)m;
    (void)userdata;
    (void)error;
    return 0; /* AlreadySubscribed is as good */
}

static int subscribe(struct bus *bus, sd_bus_message_handler_t back)
{
    return sd_bus_call_method_async(bus->connection, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
                                    SYSTEMD_MANAGER, "Subscribe", back, bus, NULL);
}

/* systemd executes itself anew: what it was asked is not answered any more. */
static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct bus *bus = userdata;
    const char *name, *old, *new;

    (void)error;
    if (sd_bus_message_read(m, "sss", &name, &old, &new) < 0 || bus->state != BUS_UP)
        return 0;
    bus->manager = false;
    disconnect_units(bus);
    say(bus->reason, sizeof bus->reason, "no systemd answers on it");
    set_away(bus);
    if (new[0] == '\0')
        return 0;
    if (subscribe(bus, on_subscribed_again) < 0)
        blame(bus, "systemd cannot be asked to tell of changes");
    else
        set_present(bus);
    return 0;
}

static int on_match(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    const sd_bus_error *answer = sd_bus_message_get_error(m);

    (void)error;
    if (answer)
        blame(userdata, answer->message);
    return 1; /* the connection may live on without it: it is ended here, not by sd-bus */
}

static int on_subscribed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct bus *bus = userdata;
    const sd_bus_error *answer = sd_bus_message_get_error(m);
    char text[BUS_REASON_SIZE];

    (void)error;
    if (answer && !sd_bus_error_has_name(answer, SYSTEMD_NAME ".AlreadySubscribed")) {
        say(text, sizeof text, "no systemd answers on it: %s", answer->message);
        blame(bus, text);
    }
    if (bus->broken)
        return 0;
    bus->state = BUS_UP;
    set_present(bus);
    return 0;
}

/* ---- opening ---- */

/* All of it before the first call, in this order on the one connection: nothing can be missed. One
 * match is for the properties of all units, since a bus allows a client some hundred only. */
static int listen_to(struct bus *bus)
{
    sd_bus *c = bus->connection;
    int r = sd_bus_match_signal_async(c, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                      "JobRemoved", on_job_removed, on_match, bus);

    if (r >= 0)
        r = sd_bus_match_signal_async(c, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                      "Reloading", on_reloading, on_match, bus);
    if (r >= 0)
        r = sd_bus_add_match_async(
            c, NULL,
            "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
            "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
            "arg0='" SYSTEMD_NAME "'",
            on_owner_changed, on_match, bus);
    if (r >= 0)
        r = sd_bus_add_match_async(
            c, NULL,
            "type='signal',sender='" SYSTEMD_NAME "',interface='" DBUS_PROPERTIES "',"
            "member='PropertiesChanged',path_namespace='" SYSTEMD_PATH "/unit'",
            on_properties_changed, on_match, bus);
    return r < 0 ? r : subscribe(bus, on_subscribed);
}

static void say_unopened(struct bus *bus, int r)
{
    bool lost_way = r == -ENOMEDIUM || r == -ENOENT || r == -ENXIO;

    if (bus->type == BUS_USER && lost_way)
        say(bus->reason, sizeof bus->reason,
            "there is none here: set XDG_RUNTIME_DIR or DBUS_SESSION_BUS_ADDRESS");
    else if (lost_way)
        say(bus->reason, sizeof bus->reason, "its socket is not there: does dbus run here?");
    else
        say(bus->reason, sizeof bus->reason, "%s", strerrordesc_np(-r));
}

static void open_bus(struct bus *bus)
{
    int r = bus->type == BUS_USER
                ? sd_bus_open_user_with_description(&bus->connection, "orderly")
                : sd_bus_open_system_with_description(&bus->connection, "orderly");

    bus->tried_at = clock_mono_us();
    bus->retry_at = CLOCK_NEVER;
    bus->state = BUS_OPENING;
    if (r >= 0)
        r = listen_to(bus);
    if (r >= 0)
        return;
    say_unopened(bus, r);
    lose(bus);
}

void bus_need(struct bus *bus)
{
    int64_t now = clock_mono_us();

    if (bus->state == BUS_UNUSED) {
        bus->tries = 0;
        say(bus->reason, sizeof bus->reason, "it has not answered yet");
        bus->state = BUS_AWAY;
        set_away(bus);
        open_bus(bus);
    } else if (bus->state == BUS_AWAY && now - bus->tried_at > FIRST_DELAY) {
        bus->retry_at = now;
    }
}

void bus_close(struct bus *bus)
{
    if (bus->state == BUS_UNUSED)
        return;
    drop_connection(bus);
    bus->state = BUS_UNUSED;
    bus->retry_at = bus->away_since = CLOCK_NEVER;
    bus->away_told = false;
    set_health(bus);
}

/* ---- the thread's round ---- */

bool bus_process(struct bus *bus)
{
    int r = 1;

    if (!bus->connection)
        return false;
    for (int i = 0; r > 0 && i < MESSAGES_AT_ONCE && !bus->broken; i++)
        r = sd_bus_process(bus->connection, NULL);
    if (r < 0)
        blame(bus, strerrordesc_np(-r));
    else if (sd_bus_is_open(bus->connection) <= 0)
        blame(bus, "the connection was closed");
    if (bus->broken)
        lose(bus);
    return r > 0;
}

void bus_pass_time(struct bus *bus, int64_t now)
{
    if (bus->state == BUS_AWAY && bus->retry_at <= now)
        open_bus(bus);
    if (bus->state == BUS_OPENING && bus->tried_at + ANSWER_PATIENCE <= now) {
        say(bus->reason, sizeof bus->reason, "it does not answer");
        lose(bus);
    }
    if (bus->away_since != CLOCK_NEVER && !bus->away_told &&
        bus->away_since + BUS_PATIENCE <= now) {
        bus->away_told = true;
        list_for_each_safe(link, &bus->units) unit_show(list_entry(link, struct unit, link));
    }
    list_for_each_safe(link, &bus->busy) job_pass_time(list_entry(link, struct unit, busy), now);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t bus_next_time(const struct bus *bus)
{
    int64_t next = bus->state == BUS_AWAY ? bus->retry_at : CLOCK_NEVER;

    if (bus->state == BUS_OPENING)
        next = bus->tried_at + ANSWER_PATIENCE;
    if (bus->away_since != CLOCK_NEVER && !bus->away_told)
        next = earlier(next, bus->away_since + BUS_PATIENCE);
    list_for_each(link, &bus->busy) next =
        earlier(next, job_next_time(list_entry(link, struct unit, busy)));
    return next;
}

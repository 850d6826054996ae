/* eye_bus - a bare reader of the bus: PropertiesChanged of units, and nothing else. */
#include "bus.h"
#include "eye.h"
#include "measure.h"

#include <stdlib.h>
#include <string.h>

struct eye {
    struct view *view;
    sd_bus *bus;
};

static int number_of_path(const char *path)
{
    char *name = NULL;
    int number = 0;

    if (sd_bus_path_decode(path, SYSTEMD_UNITS, &name) > 0)
        number = unit_number(name);
    free(name);
    return number;
}

static void see(struct eye *eye, int number, const char *active)
{
    if (strcmp(active, "active") == 0 || strcmp(active, "inactive") == 0)
        view_see(eye->view, number, *active == 'a');
}

/* One property of a dictionary: -errno, or 0 when there was none left. */
static int see_property(struct eye *eye, sd_bus_message *m, int number)
{
    const char *name, *active;
    int r = sd_bus_message_enter_container(m, 'e', "sv");

    if (r <= 0)
        return r;
    r = sd_bus_message_read(m, "s", &name);
    if (r >= 0 && strcmp(name, "ActiveState") == 0) {
        r = sd_bus_message_read(m, "v", "s", &active);
        if (r >= 0)
            see(eye, number, active);
    } else if (r >= 0) {
        r = sd_bus_message_skip(m, "v");
    }
    if (r >= 0)
        r = sd_bus_message_exit_container(m);
    return r < 0 ? r : 1;
}

static int on_changed(sd_bus_message *m, void *context, sd_bus_error *error)
{
    int number = number_of_path(sd_bus_message_get_path(m)), r;

    (void)error;
    if (number == 0)
        return 0;
    r = sd_bus_message_skip(m, "s");
    if (r >= 0)
        r = sd_bus_message_enter_container(m, 'a', "{sv}");
    while (r > 0)
        r = see_property(context, m, number);
    if (r < 0)
        bus_die(r, "read PropertiesChanged");
    return 0;
}

static void see_all(struct eye *eye)
{
    sd_bus_message *reply = bus_manager_call(eye->bus, "ListUnits", "");
    const char *name, *active;
    int r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");

    while (r >= 0 && (r = sd_bus_message_read(reply, "(ssssssouso)", &name, NULL, NULL, &active,
                                              NULL, NULL, NULL, NULL, NULL, NULL)) > 0)
        see(eye, unit_number(name), active);
    if (r < 0)
        bus_die(r, "read the answer to ListUnits");
    sd_bus_message_unref(reply);
}

static struct eye *eye_bus_open(struct view *view, const char *socket)
{
    struct eye *eye = calloc(1, sizeof *eye);
    int r;

    (void)socket;
    if (!eye)
        die("out of memory");
    eye->view = view;
    eye->bus = bus_open();
    r = sd_bus_add_match(eye->bus, NULL,
                         "type='signal',sender='" SYSTEMD_NAME "',path_namespace='" SYSTEMD_UNITS
                         "',interface='org.freedesktop.DBus.Properties',"
                         "member='PropertiesChanged',arg0='" SYSTEMD_UNIT "'",
                         on_changed, eye);
    if (r < 0)
        bus_die(r, "match PropertiesChanged");
    bus_subscribe(eye->bus);
    see_all(eye);
    return eye;
}

static void eye_bus_look(struct eye *eye)
{
    bus_turn(eye->bus);
}

static void eye_bus_close(struct eye *eye)
{
    sd_bus_flush_close_unref(eye->bus);
    free(eye);
}

const struct eye_ops eye_bus = {
    .open = eye_bus_open,
    .look = eye_bus_look,
    .close = eye_bus_close,
};

#include "unit_nearest.h"

#include "base/nearest.h"

#include <string.h>
#include <systemd/sd-bus.h>

/* Names are compared without what they all end in. */
static bool stem(const char *unit, char text[static UNIT_NAME_SIZE])
{
    const char *dot = strrchr(unit, '.');
    size_t length = dot ? (size_t)(dot - unit) : strlen(unit);

    if (length >= UNIT_NAME_SIZE)
        return false;
    memcpy(text, unit, length);
    text[length] = '\0';
    return true;
}

void unit_nearest(sd_bus_message *files, const char *unit, char nearest[static UNIT_NAME_SIZE])
{
    char typed[UNIT_NAME_SIZE], candidate[UNIT_NAME_SIZE];
    struct nearest best = {.typed = typed};
    const char *path, *state;

    nearest[0] = '\0';
    if (sd_bus_message_get_error(files) || !stem(unit, typed) ||
        sd_bus_message_enter_container(files, 'a', "(ss)") < 0)
        return;
    while (sd_bus_message_read(files, "(ss)", &path, &state) > 0) {
        const char *name = strrchr(path, '/');

        name = name ? name + 1 : path;
        if (!stem(name, candidate))
            continue;
        best.word = nearest[0] ? "" : NULL; /* only whether it is nearer matters: see below */
        nearest_offer(&best, candidate);
        if (best.word == candidate)
            strcpy(nearest, name);
    }
}

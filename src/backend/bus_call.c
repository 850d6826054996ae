#include "bus_call.h"

#include "base/cleanup.h"
#include "bus_connection.h"

#include <errno.h>
#include <stdlib.h>

/* Well below the 128 unanswered calls that dbus allows a client of the system bus. */
#define MOST_SENT 64

struct bus_call {
    struct list link; /* in sent or waiting */
    struct bus *bus;
    struct unit *unit;       /* NULL: dropped, its answer is of no use */
    struct bus_call **place; /* NULL: dropped */
    sd_bus_message *message; /* while it waits */
    sd_bus_slot *slot;       /* once it is sent */
    bus_answer *back;
};

static void call_free(struct bus_call *call)
{
    list_remove(&call->link);
    sd_bus_message_unref(call->message);
    sd_bus_slot_unref(call->slot);
    free(call);
}

static void send_waiting(struct bus *bus);

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct bus_call *call = userdata;
    struct bus *bus = call->bus;
    struct unit *unit = call->unit;
    bus_answer *back = call->back;

    (void)error;
    if (call->place)
        *call->place = NULL;
    call_free(call);
    bus->calls.sent_count--;
    if (unit)
        back(unit, m);
    send_waiting(bus);
    return 0;
}

static int send_call(struct bus_call *call)
{
    struct bus *bus = call->bus;
    int r = sd_bus_call_async(bus->connection, &call->slot, call->message, on_answer, call, 0);

    if (r < 0)
        return r;
    call->message = sd_bus_message_unref(call->message);
    list_remove(&call->link);
    list_append(&bus->calls.sent, &call->link);
    bus->calls.sent_count++;
    return 0;
}

/* What cannot be sent waits on: the connection is found to be gone before long. */
static void send_waiting(struct bus *bus)
{
    struct bus_calls *calls = &bus->calls;

    while (calls->sent_count < MOST_SENT && !list_empty(&calls->waiting) &&
           send_call(list_entry(calls->waiting.next, struct bus_call, link)) == 0)
        ;
}

static bool waits(const struct bus_call *call)
{
    return call && call->message;
}

static int call_new(struct unit *u, struct bus_call **place)
{
    struct bus_call *call = calloc(1, sizeof *call);

    if (!call)
        return -ENOMEM;
    call->bus = u->bus;
    call->unit = u;
    call->place = place;
    list_init(&call->link);
    list_append(&u->bus->calls.waiting, &call->link);
    *place = call;
    return 0;
}

int bus_call_message(struct unit *u, struct bus_call **place, sd_bus_message *m, bus_answer *back)
{
    struct bus_call *call;
    int r = 0;

    if (!waits(*place)) {
        bus_call_drop(place);
        r = call_new(u, place);
    }
    if (r < 0)
        return r;
    call = *place;
    sd_bus_message_unref(call->message);
    call->message = sd_bus_message_ref(m);
    call->back = back;
    if (u->bus->calls.sent_count >= MOST_SENT)
        return 0;
    r = send_call(call);
    if (r < 0)
        bus_call_drop(place);
    return r;
}

int bus_call(struct unit *u, struct bus_call **place, const char *path, const char *interface,
             const char *method, bus_answer *back, const char *types, ...)
{
    CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    va_list arguments;
    int r;

    if (!bus_ready(u->bus)) {
        bus_call_drop(place);
        return -ENOTCONN;
    }
    r = sd_bus_message_new_method_call(u->bus->connection, &m, SYSTEMD_NAME, path, interface,
                                       method);
    if (r < 0)
        return r;
    va_start(arguments, types);
    r = sd_bus_message_appendv(m, types, arguments);
    va_end(arguments);
    return r < 0 ? r : bus_call_message(u, place, m, back);
}

bool bus_call_is_sent(const struct bus_call *call)
{
    return call && !call->message;
}

void bus_call_drop(struct bus_call **place)
{
    struct bus_call *call = *place;

    *place = NULL;
    if (!call)
        return;
    if (call->message) {
        call_free(call);
        return;
    }
    call->unit = NULL; /* it counts until it is answered */
    call->place = NULL;
}

void bus_calls_init(struct bus_calls *calls)
{
    list_init(&calls->sent);
    list_init(&calls->waiting);
    calls->sent_count = 0;
}

void bus_calls_clear(struct bus_calls *calls)
{
    list_for_each_safe(link, &calls->sent) call_free(list_entry(link, struct bus_call, link));
    list_for_each_safe(link, &calls->waiting) call_free(list_entry(link, struct bus_call, link));
    calls->sent_count = 0;
}

#include "gate.h"

#include <microhttpd.h>

struct lock_class gate_lock_class;

static void gate_lock(struct gate *gate) ACQUIRE(gate_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&gate->lock);
}

static void gate_unlock(struct gate *gate) RELEASE(gate_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&gate->lock);
}

void gate_init(struct gate *gate, struct MHD_Connection *connection) NO_THREAD_SAFETY_CHECK
{
    *gate = (struct gate){.connection = connection};
    lock_init(&gate->lock, LOCK_GATE);
}

void gate_deinit(struct gate *gate)
{
    lock_deinit(&gate->lock);
}

bool gate_pass(struct gate *gate)
{
    bool open;

    gate_lock(gate);
    open = gate->open;
    gate->open = false;
    if (!open) {
        MHD_suspend_connection(gate->connection);
        gate->suspended = true;
    }
    gate_unlock(gate);
    return open;
}

void gate_open(struct gate *gate)
{
    gate_lock(gate);
    gate->open = true;
    if (gate->suspended && gate->connection) {
        gate->suspended = false;
        MHD_resume_connection(gate->connection);
    }
    gate_unlock(gate);
}

void gate_forget(struct gate *gate)
{
    gate_lock(gate);
    gate->connection = NULL;
    gate_unlock(gate);
}

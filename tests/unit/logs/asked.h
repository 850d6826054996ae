/* asked - asking for a rotation, and waiting for what the logs' thread does in between.
 * Threads: each test's. Ownership: none. */
#pragma once

#include "logs/fixture.h"

struct rotation {
    struct gate gate;
    int result;
};

FIXTURE void rotation_done(void *context, int result)
{
    struct rotation *r = context;

    r->result = result;
    gate_open(&r->gate);
}

FIXTURE int ask_to_rotate(struct logs *logs, const char *service)
{
    struct rotation r = {0};
    int result;

    gate_init(&r.gate);
    result = logs_rotate(logs, service, rotation_done, &r);
    if (result == 0) {
        gate_pass(&r.gate);
        result = r.result;
    }
    gate_deinit(&r.gate);
    return result;
}

FIXTURE void captured_done(void *context, const struct string_list *lines)
{
    (void)lines;
    gate_open(context);
}

/* Until what was written so far, and the settings that were given, have been taken. */
FIXTURE void wait_captured(struct log *log)
{
    struct gate gate;

    gate_init(&gate);
    assert_int_equal(log_tail(log, 0, 0, captured_done, &gate), 0);
    gate_pass(&gate);
    gate_deinit(&gate);
}

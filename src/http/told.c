#include "told.h"

#include "encode.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy_text(const char *text, bool *failed)
{
    char *copy = text ? strdup(text) : NULL;

    *failed |= text && !copy;
    return copy;
}

static bool copy_operations(struct told *told, const struct operation *operations, size_t count)
{
    told->operations = calloc(count, sizeof *operations);
    if (!told->operations)
        return false;
    for (; told->count < count; told->count++)
        if (operation_copy(&told->operations[told->count], &operations[told->count]) < 0)
            return false;
    return true;
}

void told_acceptance(struct told *told, const struct acceptance *acceptance)
{
    told->result = acceptance->result;
    told->batch = acceptance->batch;
    told->subject = copy_text(acceptance->subject, &told->failed);
    told->detail = copy_text(acceptance->detail, &told->failed);
    told->nearest = copy_text(acceptance->nearest, &told->failed);
    if (acceptance->result == ACCEPTED &&
        !copy_operations(told, acceptance->operations, acceptance->count))
        told->failed = true;
}

void told_one(struct told *told, struct operation *op)
{
    told->operations = malloc(sizeof *op);
    told->failed = !told->operations;
    if (told->failed) {
        operation_deinit(op);
        return;
    }
    *told->operations = *op;
    told->count = 1;
    *op = (struct operation){0};
}

void told_deinit(struct told *told)
{
    operations_free(told->operations, told->count);
    free(told->subject);
    free(told->detail);
    free(told->nearest);
    *told = (struct told){0};
}

unsigned told_status(const struct told *told)
{
    unsigned status = 200;

    for (size_t i = 0; i < told->count; i++) {
        if (!operation_ended(&told->operations[i]))
            return 202;
        if (told->operations[i].state != OPERATION_SUCCEEDED)
            status = 409;
    }
    return status;
}

void told_json(const struct told *told, struct text *t)
{
    if (told->as_batch)
        encode_batch(told->batch, told->operations, told->count, t);
    else
        operation_json(told->operations, t);
}

void told_location(const struct told *told, char text[static LOCATION_SIZE])
{
    if (told->as_batch)
        snprintf(text, LOCATION_SIZE, "/operations?batch=%" PRId64, told->batch);
    else
        snprintf(text, LOCATION_SIZE, "/operations/%" PRId64, told->operations->id);
}

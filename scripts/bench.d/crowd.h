/* crowd - many kept connections to one Unix socket, each with one request under way at a time, in
 * one thread: so a client that costs as little as may be keeps a server busy.
 *
 * Threads: one. Ownership: a member belongs to its crowd until crowd_close(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CROWD_HEAD 1024 /* the longest head of an answer that is understood */
#define CROWD_BODY 256  /* so much of a body is kept */

struct member {
    int fd, number;
    bool asking;
    int64_t asked; /* when */
    /* Of the answer that comes, or came last. */
    int status;
    char head[CROWD_HEAD], body[CROWD_BODY]; /* ended by a 0; of the body only how it begins */
    size_t head_len, body_len, body_due;
    bool in_body;
};

struct crowd {
    int epoll, count;
    struct member *members;
    char *room;
    /* Set by whoever uses it; it may ask again. */
    void (*answered)(struct crowd *crowd, struct member *member);
    void *context;
};

void crowd_open(struct crowd *crowd, const char *socket, int count);
void crowd_ask(struct member *member, const char *request, size_t len);
/* Takes what has come, or waits for it, at most timeout_ms (-1: for ever); calls crowd->answered
 * for each answer that is complete. */
void crowd_turn(struct crowd *crowd, int timeout_ms);
void crowd_close(struct crowd *crowd);
/* A field of the last answer's head, without quotes, into ret_value; false: it has none. */
bool member_field(const struct member *member, const char *name, char *ret_value, size_t size);

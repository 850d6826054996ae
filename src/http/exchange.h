/* exchange - one request and its answer.
 *
 * libmicrohttpd's handler drives it: when the route has asked the core for something, the
 * connection stands at the gate until the core calls back, and `next` goes on. Threads: everything
 * belongs to the connection's thread, but `told` and `rotation`: they are the callback's until
 * exchange_arrived(). Ownership: counted references; one is libmicrohttpd's until the request is
 * completed, one each of a callback that is to come. */
#pragma once

#include "gate.h"
#include "model/identity.h"
#include "problem.h"
#include "query.h"
#include "status_cache.h"
#include "told.h"

#include <stdatomic.h>

struct MHD_Connection;
struct MHD_Response;
struct http;
struct listener;
struct route;
struct visit;

struct exchange {
    atomic_int references;
    struct http *http;
    struct listener *listener;
    struct MHD_Connection *connection;
    struct visit *visit; /* the connection's */
    int fd;
    const char *method; /* libmicrohttpd's, until the request is completed */
    char *path;         /* as it was sent */
    struct text body;
    size_t body_len; /* of all that was sent */
    bool begun;

    struct identity who;
    const struct route *route;
    char *argument; /* the name or number in the path, decoded */
    struct query query;
    const char *key; /* Idempotency-Key, libmicrohttpd's; NULL: none */

    struct gate gate;
    void (*next)(struct exchange *x); /* goes on once the gate was open */
    struct told told;
    int rotation;                  /* what came of one: 0 or -errno */
    int64_t until_mono, look_mono; /* of a wait */
    size_t at;                     /* which of the told operations it is for */
    bool holds_place;

    unsigned status; /* of the answer; 0: none yet */
    struct MHD_Response *response;
    struct shared_answer *shared;
    bool broken;                          /* no answer can be given: the connection is closed */
    void (*completed)(struct exchange *); /* called when the answer is out */
};

struct exchange *exchange_new(struct listener *listener, struct MHD_Connection *connection,
                              const char *path, const char *method);
void exchange_unref(struct exchange *x);

/* ---- answers; the first one counts ---- */

/* Takes what is in body, which must be JSON. */
void exchange_answer(struct exchange *x, unsigned status, struct text *body);
void exchange_problem(struct exchange *x, enum problem_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Takes the reference; NULL (no memory) closes the connection. */
void exchange_answer_shared(struct exchange *x, unsigned status, struct shared_answer *shared);
/* Takes the response; NULL (no memory) closes the connection. */
void exchange_respond(struct exchange *x, unsigned status, struct MHD_Response *response);
void exchange_header(struct exchange *x, const char *name, const char *value);

/* ---- waiting ---- */

/* A callback is going to come: exchange_arrived() or exchange_woken() must be called exactly once;
 * then next runs on the connection's thread. False: the server is stopping, don't ask. */
bool exchange_expect(struct exchange *x, void (*next)(struct exchange *x));
void exchange_arrived(struct exchange *x);
void exchange_woken(void *exchange); /* the same, as a wait_done */

/* For a long wait: at most half of a listener's connections may. False: the problem is said. */
bool exchange_take_place(struct exchange *x);
void exchange_leave_place(struct exchange *x);
/* A suspended connection notices nothing by itself. */
bool peer_gone(int fd);

#define WAIT_LOOK (15 * USEC_PER_SEC) /* so often a wait looks whether anybody is still there */

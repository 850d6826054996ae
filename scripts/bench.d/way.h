/* way - how a restart of a service is asked for, and how whoever asked knows that it is there
 * again.
 *
 * Services are numbered from 1 and named bench-NUMBER.
 * Threads: a way is one client's, and of one thread. Ownership: it belongs to whoever opened it. */
#pragma once

#define WAY_NAME "bench-%d"

struct way;

struct way_ops {
    /* WHERE: what the way needs to know: a socket, a folder, a command. LINES: the services' FIFOs.
     */
    struct way *(*open)(const char *where, const char *lines);
    /* A service that this client will restart, and nobody else. */
    void (*adopt)(struct way *way, int number);
    /* Returns when it is there again. */
    void (*restart)(struct way *way, int number);
    /* What it restarted runs on, unless nothing but the way itself has kept it. */
    void (*close)(struct way *way);
};

extern const struct way_ops way_rest, way_bare, way_supervisord, way_control;

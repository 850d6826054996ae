/* noisy - a service that writes lines of 100 bytes to its standard output, CHUNK bytes with each
 * write: a number of MB as fast as it can, or so many MB a second until it is told to stop.
 *
 * Says that it is ready (a newline to descriptor 3) once it has written all of it, or the first
 * 10 MB; where nobody listens there, it ends after the number of MB. Appends to a file what it
 * wrote: "mb N seconds S". Threads: one. */
#include "ending.h"
#include "measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READY_FD    3
#define MB          INT64_C(1000000)
#define READY_AFTER (10 * MB)
#define LINE        100
#define LAG_MAX     (NS_PER_SEC / 20) /* what was missed for longer is not made up for */
#define LOOK_EVERY  (256 * 1024)

struct noise {
    char *chunk;
    size_t size;
    int64_t written;
};

static void make_chunk(struct noise *noise, int size)
{
    noise->size = (size_t)size;
    noise->chunk = malloc(noise->size);
    if (!noise->chunk)
        die("out of memory");
    for (int i = 0; i < size; i++)
        noise->chunk[i] = (char)((i + 1) % LINE == 0 || i + 1 == size ? '\n' : 'a' + i % LINE % 26);
}

static void write_chunk(struct noise *noise)
{
    for (size_t done = 0; done < noise->size;) {
        ssize_t n = write(STDOUT_FILENO, noise->chunk + done, noise->size - done);

        if (n < 0 && errno != EINTR)
            die("write: %m");
        if (n > 0)
            done += (size_t)n;
    }
    noise->written += (int64_t)noise->size;
}

/* False: nobody wants to know. */
static bool say_ready(void)
{
    if (write(READY_FD, "\n", 1) == 1)
        return true;
    if (errno != EBADF)
        die("say that it is ready: %m");
    return false;
}

static void tell(const struct noise *noise, int64_t took, const char *path)
{
    FILE *f = fopen(path, "ae");

    if (!f ||
        fprintf(f, "mb %.1f seconds %.4f\n", (double)noise->written / MB,
                (double)took / NS_PER_SEC) < 0 ||
        fclose(f))
        die("write %s: %m", path);
}

static void write_all(struct noise *noise, int64_t bytes, const char *path)
{
    int64_t began = now_ns();

    while (noise->written < bytes)
        write_chunk(noise);
    tell(noise, now_ns() - began, path);
    if (say_ready())
        while (!ending_within(NS_PER_SEC))
            continue;
}

/* How long until so much may have been written; what comes too late moves the beginning. */
static int64_t ahead(int64_t *begin, int64_t written, int64_t per_second)
{
    int64_t left = *begin + written / 1000 * NS_PER_SEC / (per_second / 1000) - now_ns();

    if (left < -LAG_MAX)
        *begin += -left - LAG_MAX;
    return left;
}

static void write_paced(struct noise *noise, int64_t per_second, const char *path)
{
    int64_t began = now_ns(), pace = began, since_look = 0;
    bool ready = false, over = false;

    while (!over) {
        int64_t left = ahead(&pace, noise->written, per_second);

        if (left > 0 || since_look >= LOOK_EVERY) {
            over = ending_within(left > 0 ? left : 0);
            since_look = 0;
            continue;
        }
        write_chunk(noise);
        since_look += (int64_t)noise->size;
        if (!ready && noise->written >= READY_AFTER) {
            ready = true;
            say_ready();
        }
    }
    tell(noise, now_ns() - began, path);
}

int main(int argc, char **argv)
{
    struct noise noise = {0};
    int64_t amount;

    if (argc != 5 || (strcmp(argv[1], "all") != 0 && strcmp(argv[1], "paced") != 0))
        die("usage: noisy all MB CHUNK RESULT-FILE\n"
            "       noisy paced MB-A-SECOND CHUNK RESULT-FILE");
    amount = number_of(argv[2]) * MB;
    make_chunk(&noise, number_of(argv[3]));
    ending_prepare();
    if (strcmp(argv[1], "all") == 0)
        write_all(&noise, amount, argv[4]);
    else
        write_paced(&noise, amount, argv[4]);
    free(noise.chunk);
    return 0;
}

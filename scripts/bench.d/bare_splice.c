/* bare_splice - the least that keeping a program's output costs: its pipe is spliced into a file at
 * an offset, which is set aside as FILE.1 when it is so large (0: never).
 *
 * Says "ready" on its standard output after the first 10 MB, or at the end of the output. Told to
 * stop, it tells the program so and keeps what it still says. Prints what it used of the
 * processors. Threads: one. */
#include "child.h"
#include "ending.h"
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#define PIECE       (1 << 20)
#define READY_AFTER INT64_C(10000000)

struct kept {
    const char *path;
    int fd;
    off_t size, max, whole;
    bool ready;
};

static void open_file(struct kept *kept)
{
    kept->fd = open(kept->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (kept->fd < 0)
        die("open %s: %m", kept->path);
    kept->size = 0;
}

static void set_aside(struct kept *kept)
{
    char *older;

    if (asprintf(&older, "%s.1", kept->path) < 0)
        die("out of memory");
    if (rename(kept->path, older) < 0)
        die("rename %s: %m", kept->path);
    free(older);
    close(kept->fd);
    open_file(kept);
}

/* False: the output has ended. */
static bool keep_some(struct kept *kept, int pipe)
{
    ssize_t n = splice(pipe, NULL, kept->fd, &kept->size, PIECE, SPLICE_F_NONBLOCK);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n < 0)
        die("splice: %m");
    kept->whole += n;
    if (!kept->ready && (n == 0 || kept->whole >= READY_AFTER)) {
        kept->ready = true;
        ending_ready();
    }
    if (kept->max > 0 && kept->size >= kept->max)
        set_aside(kept);
    return n > 0;
}

static void keep_all(struct kept *kept, int pipe, const struct child *child)
{
    struct pollfd fds[] = {{.fd = pipe, .events = POLLIN}, {.fd = ending_fd(), .events = POLLIN}};

    do {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            die("poll: %m");
        if (fds[1].revents) {
            pidfd_send_signal(child->pidfd, SIGTERM, NULL, 0);
            fds[1].fd = -1;
        }
    } while (!fds[0].revents || keep_some(kept, pipe));
}

int main(int argc, char **argv)
{
    struct kept kept;
    struct child child;
    int ends[2];

    if (argc < 4)
        die("usage: bare_splice FILE MAX-SIZE COMMAND [ARGUMENT]...");
    kept = (struct kept){.path = argv[1], .max = atol(argv[2])};
    open_file(&kept);
    ending_prepare();
    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe: %m");
    child_start(&child, argv + 3, ends[1], STDOUT_FILENO, false);
    close(ends[1]);
    keep_all(&kept, ends[0], &child);
    child_reap(&child);
    printf("bytes %lld cpu %.1f\n", (long long)kept.whole, (double)cpu_ns(0) / NS_PER_US);
    return 0;
}

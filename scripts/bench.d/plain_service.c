/* plain_service - a service that does nothing but say that it is there, then it waits for its end.
 * Linked dynamically, as services are.
 *
 * Without arguments it writes a newline to descriptor 3; with a FIFO's path it writes its pid and a
 * newline there, and keeps the FIFO open for both. What follows the path is of no account: so the
 * program may stand behind "#!". */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int fd = argc > 1 ? open(argv[1], O_RDWR | O_CLOEXEC) : 3;
    int written = argc > 1 ? dprintf(fd, "%d\n", getpid()) : (int)write(fd, "\n", 1);

    if (written < 1)
        return EXIT_FAILURE;
    for (;;)
        pause();
}

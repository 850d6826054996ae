/* floor_executor - the least that can stand between a supervisor and a service: a session of its
 * own, nothing but a null device to read from, and what is to be executed.
 *
 * usage: floor_executor COMMAND [ARGUMENT]... */
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (argc < 2 || null < 0 || setsid() < 0 || dup2(null, 0) < 0)
        return 126;
    execv(argv[1], argv + 1);
    return 127;
}

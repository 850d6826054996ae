/* forking_service - a service that forks 200 children when it is asked to stop, and then ends; they
 * stay until they are killed. Says that it is ready with a newline to descriptor 3. Threads: one.
 */
#include "ending.h"
#include "measure.h"

#include <unistd.h>

#define READY_FD 3
#define CHILDREN 200

static void linger(void)
{
    for (;;)
        pause();
}

int main(void)
{
    ending_prepare();
    if (write(READY_FD, "\n", 1) != 1)
        die("say that it is ready: %m");
    while (!ending_within(NS_PER_SEC * 3600))
        continue;
    for (int i = 0; i < CHILDREN; i++) {
        pid_t pid = fork();

        if (pid < 0)
            die("fork: %m");
        if (pid == 0)
            linger();
    }
    return 0;
}

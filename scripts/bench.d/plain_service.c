/* plain_service - a service that does nothing but say that it is there: a newline to descriptor 3,
 * then it waits for its end. Linked dynamically, as services are. */
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
    if (write(3, "\n", 1) != 1)
        return EXIT_FAILURE;
    for (;;)
        pause();
}

/* view - what an eye has seen, whatever kind it is. */
#include "eye.h"
#include "measure.h"

#include <stdlib.h>
#include <string.h>

void view_see(struct view *view, int number, bool up)
{
    struct sight *sight;

    if (number < 1 || number > view->count)
        return;
    sight = &view->sights[number];
    view->told++;
    if (sight->known && sight->up == up)
        return;
    *sight = (struct sight){.known = true, .up = up, .ns = now_ns()};
}

int unit_number(const char *name)
{
    size_t length = strlen(UNIT_PREFIX);

    return strncmp(name, UNIT_PREFIX, length) == 0 ? atoi(name + length) : 0;
}

/* api - the whole REST contract as it is built in: every route with its role, parameters, statuses
 * and problem codes, from the same table that requests are served by.
 * Threads: any. */
#pragma once

#include <stdio.h>

/* {"routes":[{"method","path","role","parameters","answers","problems","body","headers"}],
 * "no_route":[codes of what matches no route],"problems":[{"code","status","title"}],
 * "parameters":[{"name","expected"}]} */
void http_print_api(FILE *to);

/* place - places in line for everything that one request asks, or for nothing of it.
 * Threads: any. */
#pragma once

#include "submit.h"

/* Makes the operations and takes their places, a lock pass for each service in the order of their
 * names. False: the request was refused, and the submission is gone. */
bool place_all(struct submission *submission, const struct request *request);
/* Gives all of them back: nobody has seen them. */
void place_withdraw_all(struct submission *submission);

/* unit_table - what a unit's state is in our words.
 * Threads: pure. */
#pragma once

#include "model/names.h"
#include "unit_props.h"

/* ActiveState x SubState x Result -> state:
 *   active, reloading, refreshing  any                              running
 *   maintenance                    any                              running
 *   activating   auto-restart, auto-restart-queued                  backoff
 *   activating   any other                                          starting
 *   deactivating any                                                stopping
 *   failed       failed-before-auto-restart                         backoff
 *   failed       any, while a job stands, was backoff, not limited  backoff
 *   failed       any other                                          failed
 *   inactive     dead-before-auto-restart                           backoff
 *   inactive     any, while a job stands, was backoff, not limited  backoff
 *   inactive     any other                                          stopped
 *   "" or one that is not known                                     as it was
 * An automatic restart goes through inactive (or failed) between the end of its wait and the start,
 * with its job standing: nobody has stopped it. Once Result is start-limit-hit none follows. */
enum service_state unit_state(const struct unit_props *props, enum service_state was);

/* Whether the state tells what somebody wants, and what. A job that stands is on its way to
 * something else. */
bool unit_wanted(const struct unit_props *props, enum service_state state, enum goal *ret_wanted);

/* Restart= is not no. */
bool unit_recovers(const struct unit_props *props);

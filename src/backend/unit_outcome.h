/* unit_outcome - whether what was asked of a unit has been done, and a sentence about it that
 * helps: from how its job ended and what the unit is since.
 * Threads: pure. */
#pragma once

#include "unit_props.h"
#include "unit_sentence.h"

enum unit_action { UNIT_START, UNIT_STOP, UNIT_RESTART, UNIT_RELOAD, UNIT_SIGNAL };

/* How it ended; all borrowed. */
struct unit_end {
    enum unit_action action;
    const char *unit;               /* as it was asked for */
    const char *result;             /* of the job, as JobRemoved has it */
    const struct unit_props *props; /* read since */
    const char *culprit;            /* result dependency: the unit that failed; NULL: not known */
    bool processes_left;            /* of a unit that is stopped */
    bool not_tried;                 /* it is the same run of it as before, or none yet */
};

/* text is "" when there is nothing to add. */
bool unit_outcome(const struct unit_end *end, char text[static UNIT_SENTENCE_SIZE]);

/* The same when the answer was lost and no job of it stands: the unit alone tells. before: what
 * its InvocationID was when it was asked. */
bool unit_outcome_lost(const struct unit_end *end, const uint8_t before[static 16],
                       char text[static UNIT_SENTENCE_SIZE]);

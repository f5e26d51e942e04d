/* SPDX-License-Identifier: MIT */
/* See behaviour.h. */
#include "core/behaviour.h"

#include <asy/loop.h>

static const struct {
    int         since;
    int         until;
    const char *statement;
} rows[BEHAVIOUR_COUNT] = {
#define ASY_BEHAVIOUR(name, since, until, statement)                                       \
    [BEHAVIOUR_##name] = { since, until, statement },
#include "core/behaviours.def"
#undef ASY_BEHAVIOUR
};

bool
profile_behaves(int profile, enum behaviour behaviour)
{
    int until = rows[behaviour].until;
    return profile >= rows[behaviour].since && (until == 0 || profile < until);
}

asy_error *
profile_check(int profile, int *ret_profile)
{
    if (profile == 0)
        profile = ASY_NEWEST_PROFILE;
    if (profile < ASY_OLDEST_PROFILE || profile > ASY_NEWEST_PROFILE)
        RAISE(ValueError, "no profile of Python 3.%d: use 3.%d to 3.%d, or 0 for the newest",
              profile, ASY_OLDEST_PROFILE, ASY_NEWEST_PROFILE);
    *ret_profile = profile;
    return ASY_OK;
}

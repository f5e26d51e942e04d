/* SPDX-License-Identifier: MIT */
/*
 * What a profile does, asked by name. behaviours.def is the table; nothing else in this library
 * compares versions.
 */
#ifndef CORE_BEHAVIOUR_H
#define CORE_BEHAVIOUR_H

#include <asy/error.h>

enum behaviour {
#define ASY_BEHAVIOUR(name, since, until, statement) BEHAVIOUR_##name,
#include "core/behaviours.def"
#undef ASY_BEHAVIOUR
    BEHAVIOUR_COUNT
};

/* Whether the profile, a minor version of Python 3, behaves so. */
bool profile_behaves(int profile, enum behaviour behaviour);

/* 0 becomes the newest profile.
 *
 * Raises   ValueError: there is no such profile.
 */
asy_error *profile_check(int profile, int *ret_profile) ASY_MUST_CHECK;

#endif

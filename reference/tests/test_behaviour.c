/* SPDX-License-Identifier: MIT */
/* Profiles, and the table of what differs between them. */
#include "testing.h"

#include "core/behaviour.h"

#include <string.h>

static const struct {
    const char *name;
    int         since;
    int         until;
    const char *statement;
} rows[] = {
#define ASY_BEHAVIOUR(name, since, until, statement) { #name, since, until, statement },
#include "core/behaviours.def"
#undef ASY_BEHAVIOUR
};

static void
every_row_differs_between_two_profiles_and_cites_something(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool begins = rows[i].since > ASY_OLDEST_PROFILE && rows[i].since <= ASY_NEWEST_PROFILE;
        bool ends = rows[i].until > ASY_OLDEST_PROFILE && rows[i].until <= ASY_NEWEST_PROFILE;
        assert_true(begins || ends);
        assert_true(rows[i].until == 0 || rows[i].since < rows[i].until);
        assert_true(strlen(rows[i].statement) > 0);
    }
}

static void
since_is_inclusive_and_until_is_exclusive(void **state)
{
    (void)state;
    assert_false(profile_behaves(11, BEHAVIOUR_MADE_CURRENT_LOOP_WARNS));
    assert_true(profile_behaves(12, BEHAVIOUR_MADE_CURRENT_LOOP_WARNS));
    assert_true(profile_behaves(13, BEHAVIOUR_MADE_CURRENT_LOOP_WARNS));
    assert_false(profile_behaves(14, BEHAVIOUR_MADE_CURRENT_LOOP_WARNS));
    assert_true(profile_behaves(11, BEHAVIOUR_CURRENT_LOOP_IS_MADE));
    assert_true(profile_behaves(ASY_NEWEST_PROFILE, BEHAVIOUR_DUE_WITHIN_ULP));
}

static void
unknown_profiles_are_refused_with_the_ones_there_are(void **state)
{
    int profile = 0;

    (void)state;
    require_ok(profile_check(0, &profile));
    assert_int_equal(profile, ASY_NEWEST_PROFILE);
    require_error(profile_check(10, &profile), ASY_ValueError,
                  "no profile of Python 3.10: use 3.11 to 3.15, or 0 for the newest");
    require_error(profile_check(16, &profile), ASY_ValueError,
                  "no profile of Python 3.16: use 3.11 to 3.15, or 0 for the newest");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(every_row_differs_between_two_profiles_and_cites_something),
        testing_case(since_is_inclusive_and_until_is_exclusive),
        testing_case(unknown_profiles_are_refused_with_the_ones_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

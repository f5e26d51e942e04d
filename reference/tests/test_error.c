/* SPDX-License-Identifier: MIT */
/* Exceptions as values. */
#include "testing.h"

#include <errno.h>
#include <string.h>

static void
error_has_kind_and_formatted_message(void **state)
{
    (void)state;
    asy_error *err = asy_error_new(ASY_ValueError, "%d is not %s", 3, "four");
    assert_int_equal(err->errnum, 0);
    require_error(err, ASY_ValueError, "3 is not four");
}

static void
error_is_of_its_kind_and_of_all_above(void **state)
{
    (void)state;
    asy_error *err = asy_error_new(ASY_BrokenPipeError, "gone");
    assert_true(asy_error_is_a(err, ASY_BrokenPipeError));
    assert_true(asy_error_is_a(err, ASY_ConnectionError));
    assert_true(asy_error_is_a(err, ASY_OSError));
    assert_true(asy_error_is_a(err, ASY_Exception));
    assert_true(asy_error_is_a(err, ASY_BaseException));
    assert_false(asy_error_is_a(err, ASY_TimeoutError));
    assert_false(asy_error_is_a(err, ASY_RuntimeError));
    asy_error_unref(err);
}

static void
no_error_is_of_no_kind(void **state)
{
    (void)state;
    assert_false(asy_error_is_a(NULL, ASY_BaseException));
    assert_false(asy_error_is_fatal(NULL));
    assert_null(asy_error_unref(NULL));
    assert_null(asy_error_ref(NULL));
}

static void
only_keyboard_interrupt_and_system_exit_are_fatal(void **state)
{
    (void)state;
    for (asy_error_kind kind = 0; kind < ASY_ERROR_KIND_COUNT; kind++) {
        asy_error *err = asy_error_new(kind, "x");
        bool expected = kind == ASY_KeyboardInterrupt || kind == ASY_SystemExit;
        assert_int_equal(asy_error_is_fatal(err), expected);
        asy_error_unref(err);
    }
}

static void
parents_stand_before_their_children(void **state)
{
    (void)state;
    assert_int_equal(asy_error_kind_parent(ASY_BaseException), ASY_BaseException);
    for (asy_error_kind kind = 1; kind < ASY_ERROR_KIND_COUNT; kind++)
        assert_true(asy_error_kind_parent(kind) < kind);
}

static void
os_error_takes_the_subclass_of_its_errno(void **state)
{
    static const struct {
        int            errnum;
        asy_error_kind kind;
    } cases[] = {
        { EPERM, ASY_PermissionError },
        { EEXIST, ASY_FileExistsError },
        { ECONNRESET, ASY_ConnectionResetError },
        { EBADF, ASY_OSError },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        asy_error *err = asy_error_new_os(cases[i].errnum);
        char *message = asy_format("[Errno %d] %s", cases[i].errnum, strerror(cases[i].errnum));
        assert_int_equal(err->errnum, cases[i].errnum);
        require_error(err, cases[i].kind, message);
        asy_free(message);
    }
}

static void
count_unref(void *foreign)
{
    ++*(int *)foreign;
}

static void
foreign_object_is_given_back_once_with_the_last_reference(void **state)
{
    int unrefs = 0;
    (void)state;
    asy_error *err = asy_error_new_foreign(ASY_Exception, &unrefs, count_unref);
    asy_error *same = asy_error_ref(err);
    assert_ptr_equal(err->foreign, &unrefs);
    asy_error_unref(err);
    assert_int_equal(unrefs, 0);
    asy_error_unref(same);
    assert_int_equal(unrefs, 1);
}

static void
cause_is_released_with_its_error(void **state)
{
    int unrefs = 0;
    (void)state;
    asy_error *err = asy_error_new(ASY_RuntimeError, "outer");
    err->cause = asy_error_new_foreign(ASY_Exception, &unrefs, count_unref);
    asy_error_unref(err);
    assert_int_equal(unrefs, 1);
}

static asy_error *
try_and_raise(asy_error *first)
{
    TRY(first);
    RAISE(TypeError, "second");
}

static void
try_returns_the_error_of_the_call(void **state)
{
    (void)state;
    require_error(try_and_raise(asy_error_new(ASY_ValueError, "first")), ASY_ValueError, "first");
    require_error(try_and_raise(ASY_OK), ASY_TypeError, "second");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(error_has_kind_and_formatted_message),
        testing_case(error_is_of_its_kind_and_of_all_above),
        testing_case(no_error_is_of_no_kind),
        testing_case(only_keyboard_interrupt_and_system_exit_are_fatal),
        testing_case(parents_stand_before_their_children),
        testing_case(os_error_takes_the_subclass_of_its_errno),
        testing_case(foreign_object_is_given_back_once_with_the_last_reference),
        testing_case(cause_is_released_with_its_error),
        testing_case(try_returns_the_error_of_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * An exception that nobody looks at.
 *
 * gcc: ignoring return value of 'asy_coro_close'
 * clang: ignoring return value of function declared with 'warn_unused_result'
 */
#include <asy/asy.h>

asy_error *end(asy_coro *coro);

asy_error *
end(asy_coro *coro)
{
#ifdef MISTAKE
    asy_coro_close(coro);
#endif
    return asy_coro_close(coro);
}

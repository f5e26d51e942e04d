/* SPDX-License-Identifier: MIT */
/*
 * Making, comparing and releasing exceptions. The kinds and their parents come from
 * error_kinds.def; the subclass of an OSError is chosen by its errno, as Python does (PEP 3151).
 */
#include <asy/error.h>

#include "base/alloc.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static const struct {
    const char     *python_class;
    asy_error_kind  parent;
} kinds[] = {
#define ASY_ERROR_KIND(name, python_class, parent) [ASY_##name] = { python_class, ASY_##parent },
#include <asy/error_kinds.def>
#undef ASY_ERROR_KIND
};

static const struct {
    int            errnum;
    asy_error_kind kind;
} os_errors[] = {
    { EAGAIN, ASY_BlockingIOError },
    { EALREADY, ASY_BlockingIOError },
    { EINPROGRESS, ASY_BlockingIOError },
    { EWOULDBLOCK, ASY_BlockingIOError },
    { ECHILD, ASY_ChildProcessError },
    { EPIPE, ASY_BrokenPipeError },
    { ESHUTDOWN, ASY_BrokenPipeError },
    { ECONNABORTED, ASY_ConnectionAbortedError },
    { ECONNREFUSED, ASY_ConnectionRefusedError },
    { ECONNRESET, ASY_ConnectionResetError },
    { EEXIST, ASY_FileExistsError },
    { ENOENT, ASY_FileNotFoundError },
    { EINTR, ASY_InterruptedError },
    { EISDIR, ASY_IsADirectoryError },
    { ENOTDIR, ASY_NotADirectoryError },
    { EACCES, ASY_PermissionError },
    { EPERM, ASY_PermissionError },
    { ESRCH, ASY_ProcessLookupError },
    { ETIMEDOUT, ASY_TimeoutError },
};

static asy_error *
error_alloc(asy_error_kind kind)
{
    asy_error *error = asy_alloc(sizeof *error);
    error->refs = 1;
    error->kind = kind;
    return error;
}

/* see error.h */
asy_error *
asy_error_new(asy_error_kind kind, const char *format, ...)
{
    va_list arguments;
    asy_error *error = error_alloc(kind);

    va_start(arguments, format);
    error->message = alloc_vformat(format, arguments);
    va_end(arguments);
    return error;
}

static asy_error_kind
os_error_kind(int errnum)
{
    for (size_t i = 0; i < sizeof os_errors / sizeof os_errors[0]; i++) {
        if (os_errors[i].errnum == errnum)
            return os_errors[i].kind;
    }
    return ASY_OSError;
}

/* see error.h */
asy_error *
asy_error_new_os(int errnum)
{
    asy_error *error = asy_error_new(os_error_kind(errnum), "[Errno %d] %s", errnum,
                                     strerror(errnum));
    error->errnum = errnum;
    return error;
}

/* see error.h */
asy_error *
asy_error_new_foreign(asy_error_kind kind, void *foreign, void (*unref_foreign)(void *foreign))
{
    asy_error *error = error_alloc(kind);
    error->message = alloc_text("");
    error->foreign = foreign;
    error->unref_foreign = unref_foreign;
    return error;
}

/* see error.h */
asy_error *
asy_error_ref(asy_error *error)
{
    if (error)
        error->refs++;
    return error;
}

/* see error.h */
asy_error *
asy_error_unref(asy_error *error)
{
    if (!error || --error->refs > 0)
        return NULL;
    asy_error_unref(error->cause);
    if (error->foreign && error->unref_foreign)
        error->unref_foreign(error->foreign);
    asy_free(error->message);
    asy_free(error);
    return NULL;
}

/* see error.h */
bool
asy_error_is_a(const asy_error *error, asy_error_kind kind)
{
    if (!error)
        return false;
    asy_error_kind each = error->kind;
    while (each != kind && each != kinds[each].parent)
        each = kinds[each].parent;
    return each == kind;
}

/* see error.h.  CPython: "except (SystemExit, KeyboardInterrupt): raise" */
bool
asy_error_is_fatal(const asy_error *error)
{
    return asy_error_is_a(error, ASY_KeyboardInterrupt) || asy_error_is_a(error, ASY_SystemExit);
}

/* see error.h */
const char *
asy_error_kind_name(asy_error_kind kind)
{
    return kinds[kind].python_class;
}

/* see error.h */
asy_error_kind
asy_error_kind_parent(asy_error_kind kind)
{
    return kinds[kind].parent;
}

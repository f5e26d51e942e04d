/* SPDX-License-Identifier: MIT */
/*
 * Exceptions as values.
 *
 * A function that can raise returns asy_error *; NULL is "no exception". The compiler warns
 * where one is ignored, and the leak sanitizer finds one that was dropped. An error belongs to one
 * thread at a time; its reference count is not atomic.
 *
 * The kind stands for the Python class (error_kinds.def). A host's own exception object travels
 * through the library as `foreign` and comes out the same object.
 *
 * Two kinds are fatal: KeyboardInterrupt and SystemExit, whoever raises them. They leave the
 * loop at once; every other error of a callback goes to the exception handler.
 */
#ifndef ASY_ERROR_H
#define ASY_ERROR_H

#include <asy/types.h>

ASY_BEGIN_DECLARATIONS

typedef enum asy_error_kind {
#define ASY_ERROR_KIND(name, python_class, parent) ASY_##name,
#include <asy/error_kinds.def>
#undef ASY_ERROR_KIND
    ASY_ERROR_KIND_COUNT
} asy_error_kind;

struct asy_error {
    int             refs;
    asy_error_kind  kind;
    int             errnum;                         /* OSError.errno; 0 for other kinds */
    char           *message;                        /* str(exc) */
    asy_error      *cause;                          /* exc.__cause__, or NULL; owned */
    void           *foreign;                        /* the host's exception, or NULL; owned */
    void          (*unref_foreign)(void *foreign);
};

/* ---- error.c --------------------------------------------------------------- */

/* kind(message), the message as printf would write it. */
ASY_API asy_error *asy_error_new(asy_error_kind kind, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* OSError(errnum, strerror(errnum)): the kind is the subclass that Python picks for the errno,
 * and the message is "[Errno N] text".
 */
ASY_API asy_error *asy_error_new_os(int errnum);

/* An exception object of the host. The kind decides what the library does with it: choose the
 * nearest one of the table, KeyboardInterrupt and SystemExit for these and their subclasses.
 *
 * Steals   foreign, which unref_foreign gives back.
 */
ASY_API asy_error *asy_error_new_foreign(asy_error_kind kind, void *foreign,
                                         void (*unref_foreign)(void *foreign));

/* One more reference to the same error. NULL gives NULL. */
ASY_API asy_error *asy_error_ref(asy_error *error);

/* One reference less. Accepts and returns NULL: err = asy_error_unref(err). */
ASY_API asy_error *asy_error_unref(asy_error *error);

/* isinstance(error, kind). NULL is of no kind. */
ASY_API bool asy_error_is_a(const asy_error *error, asy_error_kind kind);

/* isinstance(error, (KeyboardInterrupt, SystemExit)) */
ASY_API bool asy_error_is_fatal(const asy_error *error);

/* The name of the Python class, such as "RuntimeError". */
ASY_API const char *asy_error_kind_name(asy_error_kind kind);

/* The parent of a kind; BaseException is its own. */
ASY_API asy_error_kind asy_error_kind_parent(asy_error_kind kind);

/* raise, return on error. Define ASY_NO_SHORT_NAMES to go without these three. */
#ifndef ASY_NO_SHORT_NAMES
#define RAISE(kind, ...) return asy_error_new(ASY_##kind, __VA_ARGS__)
#define RAISE_OSERROR(errnum) return asy_error_new_os(errnum)
#define TRY(call)                                                                          \
    do {                                                                                   \
        asy_error *try_error_ = (call);                                                    \
        if (try_error_)                                                                    \
            return try_error_;                                                             \
    } while (0)
#endif

ASY_END_DECLARATIONS

#endif

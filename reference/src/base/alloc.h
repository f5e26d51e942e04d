/* SPDX-License-Identifier: MIT */
/*
 * Memory that never fails. asy_alloc(), asy_free() and asy_format() are in types.h, because hosts
 * use them too; here is what only the library needs.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <asy/types.h>

#include <stdarg.h>

/* realloc() to count elements of the size, both above 0; what is new is not zeroed. */
void *alloc_resize(void *memory, size_t count, size_t size);

/* A copy of the text, or NULL for NULL. */
char *alloc_text(const char *text);

/* repr(float), from asy_alloc(): the shortest text that gives the same number again. */
char *alloc_float_text(double value);

/* vsprintf into memory of asy_alloc(). */
char *alloc_vformat(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/* How many blocks are in use, for tests; always 0 unless built with ASY_COUNT_BLOCKS. */
long alloc_block_count(void);

#endif

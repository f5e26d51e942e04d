/* SPDX-License-Identifier: MIT */
/*
 * Memory that never fails: where there is none left, the process ends. That removes a whole
 * class of error paths, and nothing that asyncio promises depends on MemoryError.
 *
 * Test builds (ASY_COUNT_BLOCKS) count the blocks, so that a test can require that none is left.
 */
#include "base/alloc.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef ASY_COUNT_BLOCKS
#include <stdatomic.h>

static atomic_long block_count;

static void
count_blocks(long change)
{
    atomic_fetch_add_explicit(&block_count, change, memory_order_relaxed);
}

long
alloc_block_count(void)
{
    return atomic_load(&block_count);
}
#else
static void
count_blocks(long change)
{
    (void)change;
}

long
alloc_block_count(void)
{
    return 0;
}
#endif

static void *
require_memory(void *memory, size_t size)
{
    if (memory)
        return memory;
    fprintf(stderr, "asy: out of memory: cannot allocate %zu bytes\n", size);
    abort();
}

/* see types.h */
void *
asy_alloc(size_t size)
{
    if (size == 0)
        size = 1;
    count_blocks(1);
    return require_memory(calloc(1, size), size);
}

/* see types.h */
void
asy_free(void *memory)
{
    if (memory)
        count_blocks(-1);
    free(memory);
}

void *
alloc_resize(void *memory, size_t count, size_t size)
{
    if (count > SIZE_MAX / size)
        return require_memory(NULL, SIZE_MAX);
    if (!memory)
        count_blocks(1);
    return require_memory(realloc(memory, count * size), count * size);
}

char *
alloc_text(const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(asy_alloc(size), text, size);
}

char *
alloc_vformat(const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    size_t size = length < 0 ? 1 : (size_t)length + 1;
    char *text = asy_alloc(size);
    vsnprintf(text, size, format, again);
    va_end(again);
    return text;
}

/* see types.h */
char *
asy_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = alloc_vformat(format, arguments);
    va_end(arguments);
    return text;
}

/* A number of few digits needs few of them; 17 tell any two apart. What is very large or small has
 * an exponent, as in Python. */
char *
alloc_float_text(double value)
{
    char text[32];
    int digits = 0;

    do
        snprintf(text, sizeof text, "%.*e", digits, value);
    while (strtod(text, NULL) != value && ++digits < 17);
    const char *mark = strchr(text, 'e');
    int exponent = mark ? (int)strtol(mark + 1, NULL, 10) : INT_MAX;
    if (exponent < -4 || exponent >= 16)
        return alloc_text(text);
    return asy_format("%.*f", digits > exponent ? digits - exponent : 1, value);
}

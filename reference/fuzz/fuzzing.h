/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share: a program decoded from bytes, and checks that end the process.
 *
 * A target is a file with one function, LLVMFuzzerTestOneInput(). It reads its input as a program
 * for one part of the library, runs it on that part and on a simple model of it, and requires
 * that both do the same. Any bytes are a program: what runs past their end reads zeros.
 *
 * libFuzzer calls the function with inputs that it varies, so that new code is reached; replay.c
 * calls it with stored ones and with random ones, for compilers without libFuzzer.
 */
#ifndef FUZZ_FUZZING_H
#define FUZZ_FUZZING_H

#include <asy/error.h>
#include <asy/types.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* ---- the program -------------------------------------------------------------- */

struct program {
    const uint8_t *bytes;
    size_t         left;
};

/* The next byte; 0 at the end. */
static inline unsigned
program_byte(struct program *program)
{
    if (program->left == 0)
        return 0;
    program->left--;
    return *program->bytes++;
}

/* A number below the limit, which is at most 256. */
static inline unsigned
program_below(struct program *program, unsigned limit)
{
    return program_byte(program) % limit;
}

/* ---- checks ------------------------------------------------------------------- */

/* The condition holds; else the text, written as printf would, and the end of the process. */
#define require(condition, ...)                                                            \
    do {                                                                                   \
        if (!(condition))                                                                  \
            fuzzing_fail(__FILE__, __LINE__, #condition, __VA_ARGS__);                     \
    } while (0)

_Noreturn void fuzzing_fail(const char *file, int line, const char *condition, const char *format,
                            ...) __attribute__((format(printf, 4, 5)));

/* Nothing was raised. */
#define require_ok(err) fuzzing_require_ok(err, __FILE__, __LINE__)
void fuzzing_require_ok(const asy_error *err, const char *file, int line);

/* For a host's check_signals(): whether it is called within a wait that a signal has interrupted,
 * such as that of libFuzzer's timer, and so in the middle of an iteration. */
bool fuzzing_interrupted(void);

/* A state of the process to come back to: blocks of asy_alloc(), and descriptors. */
struct footprint {
    long blocks;
    int  next_fd;               /* the lowest descriptor that is free */
};

struct footprint footprint_now(void);

/* The process holds what it held before. */
void footprint_require(struct footprint before);

#endif

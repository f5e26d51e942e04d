/* SPDX-License-Identifier: MIT */
/*
 * A fuzz target without libFuzzer:
 *
 *     replay_queue FOLDER COUNT       every file of the folder, then so many random programs
 *     replay_queue FILE               this one, such as a crash that libFuzzer has stored
 *
 * The random programs are the same in every run. Each is as long as most that libFuzzer keeps, and
 * half of them take their bytes from a few values only, so that operations come in runs.
 */
#include "fuzzing.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_BYTES 4096
#define RANDOM_BYTES 256

static size_t
run_file(const char *path)
{
    uint8_t bytes[MOST_BYTES];
    FILE *file = fopen(path, "rb");

    require(file, "%s cannot be read: name a file or a folder of programs", path);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, size);
    return 1;
}

/* How many files there were, or 0 if it is no folder. */
static size_t
run_folder(const char *path)
{
    size_t count = 0;
    const struct dirent *entry;
    DIR *folder = opendir(path);

    if (!folder)
        return 0;
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        char *name = asy_format("%s/%s", path, entry->d_name);
        count += run_file(name);
        asy_free(name);
    }
    closedir(folder);
    return count;
}

/* xorshift64 */
static unsigned
next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (unsigned)(*seed >> 32);
}

static void
run_random(long count)
{
    uint8_t bytes[RANDOM_BYTES];
    uint8_t few[4];
    uint64_t seed = 20240229;

    for (long i = 0; i < count; i++) {
        size_t size = next_random(&seed) % sizeof bytes;
        for (size_t j = 0; j < sizeof few; j++)
            few[j] = (uint8_t)next_random(&seed);
        for (size_t j = 0; j < size; j++) {
            unsigned value = next_random(&seed);
            bytes[j] = i % 2 ? few[value % sizeof few] : (uint8_t)value;
        }
        LLVMFuzzerTestOneInput(bytes, size);
    }
}

int
main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: %s FOLDER COUNT, or FILE\n", argv[0]);
        return 2;
    }
    long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    size_t files = run_folder(argv[1]);
    if (files == 0)
        files = run_file(argv[1]);
    run_random(count);
    printf("%zu stored and %ld random programs\n", files, count);
    return 0;
}

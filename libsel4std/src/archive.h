/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The files of muslcsys' CPIO archive, by their paths. Paths have no beginning but the archive's: a slash at the start,
 * slashes in a row and `.` mean nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *name, *data;
    uint32_t size, mode, time;
    size_t next; /* offset of what follows */
} entry_t;

/* A file, or a folder, which is the first `depth` parts of an entry's name. */
typedef struct {
    entry_t entry;
    bool folder;
    unsigned depth;
} place_t;

/* Returns whether a file or folder exists at `path`. */
bool archive_find(const char *path, place_t *place);

/* Finds the next name in a folder. `at` is 0 before the first. */
typedef struct {
    const char *name;
    size_t length;
    bool folder;
} child_t;
bool archive_list(const place_t *folder, size_t *at, child_t *child);

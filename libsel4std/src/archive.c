/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading a CPIO archive in the format newc, the one that libcpio reads. muslcsys keeps it to itself, so the linker calls
 * this file where the application installs it (--wrap).
 */
#include "archive.h"
#include "internal.h"

#include <string.h>
#include <sys/stat.h>
#include <muslcsys/io.h>

/* Offsets of the numbers in a header, each 8 hexadecimal digits, and the length of the header. */
enum { MODE = 14, TIME = 46, SIZE = 54, NAME_SIZE = 94, HEADER = 110 };

static const char *archive;
static size_t archive_length;

void __real_muslcsys_install_cpio_interface(const void *start, unsigned long length, muslcsys_cpio_get_file_fn_t get);

void __wrap_muslcsys_install_cpio_interface(const void *start, unsigned long length, muslcsys_cpio_get_file_fn_t get)
{
    archive = start;
    archive_length = length;
    __real_muslcsys_install_cpio_interface(start, length, get);
}

static bool number(const char *digits, uint32_t *result)
{
    *result = 0;
    for (int i = 0; i < 8; i++) {
        char digit = digits[i];
        int value = digit >= '0' && digit <= '9'                 ? digit - '0'
                    : (digit | 32) >= 'a' && (digit | 32) <= 'f' ? (digit | 32) - 'a' + 10
                                                                 : -1;
        if (value < 0) {
            return false;
        }
        *result = *result << 4 | value;
    }
    return true;
}

/* The entry at an offset. False at the end of the archive, and where its bytes make no sense. */
static bool entry_at(size_t offset, entry_t *entry)
{
    uint32_t name_size;
    if (archive == NULL || offset > archive_length || archive_length - offset < HEADER) {
        return false;
    }
    const char *header = archive + offset;
    if (memcmp(header, "070701", 6) != 0 || !number(header + MODE, &entry->mode) || !number(header + TIME, &entry->time)
        || !number(header + SIZE, &entry->size) || !number(header + NAME_SIZE, &name_size)) {
        return false;
    }
    size_t data = (offset + HEADER + name_size + 3) & -4ul;
    if (name_size == 0 || data > archive_length || entry->size > archive_length - data
        || header[HEADER + name_size - 1] != 0) {
        return false;
    }
    entry->name = header + HEADER;
    entry->data = archive + data;
    entry->next = (data + entry->size + 3) & -4ul;
    return strcmp(entry->name, "TRAILER!!!") != 0;
}

/* Takes the next part off a path. NULL at its end. */
static const char *part(const char **path, size_t *length)
{
    for (;;) {
        *path += strspn(*path, "/");
        const char *start = *path;
        *length = strcspn(start, "/");
        *path += *length;
        if (*length != 1 || *start != '.') {
            return *length > 0 ? start : NULL;
        }
    }
}

/* The part of a name that comes after its first `depth` ones. */
static child_t part_after(const char *name, unsigned depth)
{
    child_t result;
    do {
        result.name = part(&name, &result.length);
    } while (depth-- > 0 && result.name != NULL);
    size_t more;
    result.folder = part(&name, &more) != NULL;
    return result;
}

static bool same(child_t a, child_t b)
{
    return a.name != NULL && b.name != NULL && a.length == b.length && memcmp(a.name, b.name, a.length) == 0;
}

/* Returns the number of leading parts that two names have in common. */
static unsigned common(const char *a, const char *b)
{
    unsigned depth = 0;
    while (same(part_after(a, depth), part_after(b, depth))) {
        depth++;
    }
    return depth;
}

bool archive_find(const char *path, place_t *place)
{
    unsigned depth = 0;
    while (part_after(path, depth).name != NULL) {
        depth++;
    }
    place->depth = depth;
    for (size_t at = 0; entry_at(at, &place->entry); at = place->entry.next) {
        if (common(place->entry.name, path) == depth) {
            bool above = part_after(place->entry.name, depth).name != NULL;
            place->folder = above || S_ISDIR(place->entry.mode);
            return true;
        }
    }
    return false;
}

bool archive_list(const place_t *folder, size_t *at, child_t *child)
{
    entry_t entry, earlier;
    child_t previous = { .name = NULL };
    for (; entry_at(*at, &entry); *at = entry.next) {
        *child = part_after(entry.name, folder->depth);
        if (child->name == NULL || common(entry.name, folder->entry.name) < folder->depth) {
            continue;
        }
        /* Several entries may lie below one folder. Those usually follow each other, and a file has one entry: a long archive
         * is not read from its start for each of its entries. */
        bool folder_again = child->folder || S_ISDIR(entry.mode), told = folder_again && same(previous, *child);
        previous = *child;
        for (size_t i = 0; folder_again && i < *at && !told && entry_at(i, &earlier); i = earlier.next) {
            told = common(earlier.name, folder->entry.name) >= folder->depth
                   && same(part_after(earlier.name, folder->depth), *child);
        }
        if (!told) {
            child->folder |= S_ISDIR(entry.mode);
            *at = entry.next;
            return true;
        }
    }
    return false;
}

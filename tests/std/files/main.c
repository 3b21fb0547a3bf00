/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Files from an archive, and what else a program has from outside: standard input, randomness, its end.
 */
#include <stdio.h>
#include <string.h>
#include <cpio/cpio.h>
#include <muslcsys/io.h>
#include <files.h>
#include <sel4std.h>

extern const char archive[], archive_end[];

/* Standard input: two lines, in pieces as they would come from a port. */
ssize_t sel4std_stdin(void *bytes, size_t count)
{
    static const char *rest = "first line\nsecond ";
    size_t some = strlen(rest) < 7 ? strlen(rest) : 7;
    some = some < count ? some : count;
    memcpy(bytes, rest, some);
    rest += some;
    return some;
}

/* What it is worth is the builder's matter; this only tells that it was asked. */
static int asked;
int sel4std_entropy(void *bytes, size_t count)
{
    memset(bytes, ++asked, count);
    return 0;
}

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    printf("Without an archive:\n");
    files_opens("lines.txt");
    muslcsys_install_cpio_interface(archive, archive_end - archive, cpio_get_file);
    FILE *file = fopen("poems/spring.txt", "r");
    char line[32] = "nothing";
    if (file != NULL) {
        fgets(line, sizeof(line), file);
        fclose(file);
    }
    printf("C reads: %s", line);
    files_shows();
    printf("Randomness was asked for: %s\n", asked > 0 ? "yes" : "no");
    /* An archive that ends within a file, and one that is none. */
    muslcsys_install_cpio_interface(archive, 130, cpio_get_file);
    files_opens("lines.txt");
    muslcsys_install_cpio_interface(archive + 4, archive_end - archive - 4, cpio_get_file);
    files_opens("lines.txt");
    files_ends();
    printf("and does not come back\n");
    return 0;
}

/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A C root server that calls a Rust library with std, and prints the results.
 */
#include <stdio.h>
#include <cpio/cpio.h>
#include <muslcsys/io.h>
#include <tour.h>

extern const char _cpio_archive[], _cpio_archive_end[];

int main(void)
{
    printf("Booting all finished, dropped to user space\n");
    muslcsys_install_cpio_interface(_cpio_archive, _cpio_archive_end - _cpio_archive, cpio_get_file);
    if (tour() != 0) {
        return 1;
    }
    printf("C goes on after the panic: 17 / 0 is %d\n", divide(17, 0));
    printf("The tour is over\n");
    return 0;
}

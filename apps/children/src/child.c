/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A child: Rust does the work. The parent has put its endpoint into the slot of the fault endpoint.
 */
#include <sel4utils/process.h>
#include <worker.h>

int main(void)
{
    worker_run(SEL4UTILS_ENDPOINT_SLOT);
    return 1;
}

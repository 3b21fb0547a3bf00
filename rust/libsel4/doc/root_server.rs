// SPDX-License-Identifier: BSD-2-Clause

// Included by the examples in the documentation, each of which is a root server on the hosted platform.

/// Runs an example.
fn root_server(
    example: impl FnOnce(
        libsel4::BootInfo,
        &mut libsel4::Allocator,
    ) -> Result<(), libsel4::AllocationError>,
) {
    sel4_hosted::run(|info| {
        // SAFETY: it is the kernel's, and the example ends before the kernel.
        let info = unsafe { libsel4::BootInfo::from_ptr(info) };
        // SAFETY: nothing else uses the kernel's empty slots.
        let mut objects = unsafe { libsel4::Allocator::new(&info) };
        example(info, &mut objects).expect("the example's objects");
    });
}

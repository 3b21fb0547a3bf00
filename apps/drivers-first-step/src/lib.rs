// SPDX-License-Identifier: BSD-2-Clause

//! A first driver: the registers and the interrupt of a timer, used by Rust in a C root server.

#![no_std]

#[cfg(not(any(
    CONFIG_PLAT_QEMU_ARM_VIRT,
    CONFIG_PLAT_ZYNQMP,
    CONFIG_PLAT_QEMU_RISCV_VIRT,
    CONFIG_PLAT_PC99,
    CONFIG_PLAT_HOSTED
)))]
compile_error!("no driver for this platform: write one like pl031.rs, and name it below");

mod alarm;
#[cfg_attr(
    any(
        CONFIG_PLAT_QEMU_ARM_VIRT,
        all(CONFIG_PLAT_HOSTED, CONFIG_ARCH_AARCH64)
    ),
    path = "pl031.rs"
)]
#[cfg_attr(CONFIG_PLAT_ZYNQMP, path = "ttc.rs")]
#[cfg_attr(CONFIG_PLAT_QEMU_RISCV_VIRT, path = "goldfish.rs")]
#[cfg_attr(
    any(CONFIG_PLAT_PC99, all(CONFIG_PLAT_HOSTED, CONFIG_ARCH_X86_64)),
    path = "hpet.rs"
)]
mod device;

use core::ptr;

use libsel4::{
    AllocationError, Allocator, BootInfo, Cap, CapRights, Devices, Notification, SmallPage,
    VmAttributes,
};
use libsel4_sys::seL4_BootInfo;

use alarm::Alarm;
use device::Device;

/// Address to map the registers at, far from the root server's image.
const REGISTERS: usize = 0x1000_0000;

/// Badge of the device's signals, which identifies them if devices share a notification.
const BADGE: usize = 4;

/// Runs the driver. Logs an error, and then returns false.
///
/// # Safety
///
/// `info` is the root server's BootInfo, and nothing else uses its empty slots and untypeds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn driver_run(info: *const seL4_BootInfo) -> bool {
    // SAFETY: by the contract of this function, the pointer is BootInfo's.
    let info = unsafe { BootInfo::from_ptr(info) };
    // SAFETY: nothing else uses the empty slots, by the contract of this function.
    let objects = unsafe { Allocator::new(&info) };
    let result = run(&info, objects);
    if let Err(error) = &result {
        log::error!("{error}");
    }
    result.is_ok()
}

fn run(info: &BootInfo, mut objects: Allocator) -> Result<(), AllocationError> {
    let mut devices = Devices::new(info);

    // Make the page with the registers by its physical address, and map it uncached.
    let page: Cap<SmallPage> = devices.page(&mut objects, Device::ADDRESS)?;
    // SAFETY: the page is new, and nothing is mapped at the address.
    unsafe {
        objects.map_page(
            info.vspace(),
            page,
            REGISTERS,
            CapRights::READ_WRITE,
            VmAttributes::DEVICE,
        )?;
    }
    // SAFETY: the page is mapped there, uncached, and nothing else has it.
    let mut device = unsafe { Device::start(ptr::with_exposed_provenance(REGISTERS)) };
    log::info!("{} at {:#x}", Device::NAME, page.page_get_address()?);

    // Let the interrupt signal a notification.
    let interrupt: Cap<Notification> = objects.make()?;
    let signal = objects.mint(interrupt, CapRights::WRITE, BADGE)?;
    let handler = Device::interrupt(info.irq_control(), objects.slot()?)?;
    handler.irq_handler_set_notification(signal)?;

    for number in 1..=2 {
        let begin = device.now();
        device.set(Device::TICKS);
        let badge = interrupt.wait();
        let passed = device.now().wrapping_sub(begin) >= Device::TICKS;
        log::info!("interrupt {number}: badge {badge}, time has passed: {passed}");
        // Clear the device first: otherwise it interrupts again as soon as the kernel lets it.
        device.clear();
        handler.irq_handler_ack()?;
    }

    log::info!("common first mistakes");
    mistakes(info, &mut objects, &mut devices, page)?;

    // Without an acknowledgement, the kernel holds back the next interrupt.
    device.set(Device::TICKS);
    interrupt.wait();
    device.clear();
    device.set(Device::TICKS);
    while !device.went_off() {}
    let early = interrupt.poll();
    let badge = early.unwrap_or(0);
    log::info!("not acknowledged: badge {badge}{}", Device::UNACKNOWLEDGED);
    handler.irq_handler_ack()?;
    let badge = early.unwrap_or_else(|| interrupt.wait());
    log::info!("acknowledged: badge {badge}");
    device.clear();
    Ok(handler.irq_handler_ack()?)
}

/// Makes common mistakes, and prints the errors.
fn mistakes(
    info: &BootInfo,
    objects: &mut Allocator,
    devices: &mut Devices,
    mapped: Cap<SmallPage>,
) -> Result<(), AllocationError> {
    fn print<T>(what: &str, result: Result<T, AllocationError>) {
        match result {
            Ok(_) => log::info!("{what}: done"),
            Err(error) => log::info!("{what}: {error}"),
        }
    }
    // SAFETY: nothing uses this mapping.
    let twice = unsafe {
        mapped.page_map(
            info.vspace(),
            REGISTERS + 0x1000,
            CapRights::READ_WRITE,
            VmAttributes::DEVICE,
        )
    };
    print("mapped twice by one capability", twice.map_err(Into::into));

    let mut page = |paddr| devices.page::<SmallPage>(objects, paddr);
    // The memory before a page remains available.
    print("the page before it", page(Device::ADDRESS - 0x1000));
    print("the same page", page(Device::ADDRESS));
    print("not a whole page", page(Device::ADDRESS + 4));
    let memory = info.untypeds().find(|untyped| !untyped.is_device);
    print("memory", page(memory.map_or(0, |untyped| untyped.paddr)));

    let slot = objects.slot()?;
    let again = Device::interrupt(info.irq_control(), slot);
    print("the same interrupt", again.map_err(Into::into));
    Ok(())
}

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
compile_error!("no driver for this platform: write one as pl031.rs, and name it below");

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
    AllocationError, Allocator, BootInfo, Cap, CapRights, Devices, IrqHandler, Notification,
    SmallPage, VmAttributes,
};
use libsel4_sys::seL4_BootInfo;

use alarm::Alarm;
use device::Device;

/// Where the registers are mapped, which is far from the root server's image.
const REGISTERS: usize = 0x1000_0000;

/// Tells the device's signals from others, where several share a notification.
const BADGE: usize = 4;

/// Runs it all; false if something failed, which is then logged.
///
/// # Safety
///
/// `info` is the root server's BootInfo, of which nobody else uses the empty slots and the untypeds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn driver_run(info: *const seL4_BootInfo) -> bool {
    // SAFETY: the caller promises it.
    let info = unsafe { BootInfo::from_ptr(info) };
    let result = run(&info);
    if let Err(error) = &result {
        log::error!("{error}");
    }
    result.is_ok()
}

fn run(info: &BootInfo) -> Result<(), AllocationError> {
    let mut objects = Allocator::<64>::new(info);
    let mut devices = Devices::<64>::new(info);

    // The page that the registers are in, by its physical address, and not cached.
    let page: Cap<SmallPage> = devices.page(&mut objects, Device::ADDRESS)?;
    // SAFETY: a fresh page, where nothing is.
    unsafe {
        objects.map_page(
            info.vspace(),
            page,
            REGISTERS,
            CapRights::READ_WRITE,
            VmAttributes::DEVICE,
        )?;
    }
    // SAFETY: mapped just now, not cached, and nobody else has the page.
    let mut device = unsafe { Device::start(ptr::with_exposed_provenance(REGISTERS)) };
    log::info!("{} at {:#x}", Device::NAME, page.page_get_address()?);

    // Its interrupt, and what that signals.
    let interrupt: Cap<Notification> = objects.make()?;
    let signal = objects.mint(interrupt, CapRights::WRITE, BADGE)?;
    let slot = objects.slot()?;
    Device::interrupt(info.irq_control(), slot)?;
    // SAFETY: the kernel has just put it there.
    let handler: Cap<IrqHandler> = unsafe { slot.cap() };
    handler.irq_handler_set_notification(signal)?;

    for number in 1..=2 {
        let begin = device.now();
        device.set(Device::TICKS);
        let badge = interrupt.wait();
        let passed = device.now().wrapping_sub(begin) >= Device::TICKS;
        log::info!("interrupt {number}: badge {badge}, time has passed: {passed}");
        // First the device, or it interrupts again at once; then the kernel, which lets it.
        device.clear();
        handler.irq_handler_ack()?;
    }

    log::info!("what goes wrong at first");
    mistakes(info, &mut objects, &mut devices, page)?;

    // Without acknowledgement the kernel keeps the next interrupt back.
    device.set(Device::TICKS);
    interrupt.wait();
    device.clear();
    device.set(Device::TICKS);
    while !device.went_off() {}
    let badge = interrupt.poll();
    log::info!("not acknowledged: badge {badge}{}", Device::UNACKNOWLEDGED);
    handler.irq_handler_ack()?;
    let badge = if badge == 0 { interrupt.wait() } else { badge };
    log::info!("acknowledged: badge {badge}");
    device.clear();
    Ok(handler.irq_handler_ack()?)
}

/// Wrong uses, and what becomes of them.
fn mistakes<const N: usize, const M: usize>(
    info: &BootInfo,
    objects: &mut Allocator<N>,
    devices: &mut Devices<M>,
    mapped: Cap<SmallPage>,
) -> Result<(), AllocationError> {
    fn tell<T>(what: &str, result: Result<T, AllocationError>) {
        match result {
            Ok(_) => log::info!("{what}: done"),
            Err(error) => log::info!("{what}: {error}"),
        }
    }
    // SAFETY: nobody uses this mapping.
    let twice = unsafe {
        mapped.page_map(
            info.vspace(),
            REGISTERS + 0x1000,
            CapRights::READ_WRITE,
            VmAttributes::DEVICE,
        )
    };
    tell("mapped twice by one capability", twice.map_err(Into::into));

    let mut page = |paddr| devices.page::<SmallPage, _>(objects, paddr);
    // What lies before a page is not lost.
    tell("the page before it", page(Device::ADDRESS - 0x1000));
    tell("the same page", page(Device::ADDRESS));
    tell("not a whole page", page(Device::ADDRESS + 4));
    let memory = info.untypeds().find(|untyped| !untyped.is_device);
    tell("memory", page(memory.map_or(0, |untyped| untyped.paddr)));

    let slot = objects.slot()?;
    let again = Device::interrupt(info.irq_control(), slot);
    tell("the same interrupt", again.map_err(Into::into));
    Ok(())
}

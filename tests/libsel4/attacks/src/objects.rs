// SPDX-License-Identifier: BSD-2-Clause

//! Attacks that make objects of memory in use.

use libsel4::{
    AllocationError, Allocator, CNode, Cap, CapRights, Devices, Error, PageTable, SmallPage,
    Untyped, UntypedDesc, VmAttributes,
};

use crate::{Done, Prey, World};

/// Physical addresses of pages, which must all differ.
struct Addresses {
    seen: [usize; 16],
    count: usize,
}

impl Addresses {
    fn new(prey: &Prey) -> Result<Self, AllocationError> {
        let mut this = Self {
            seen: [0; 16],
            count: 0,
        };
        this.add(prey.page)?;
        Ok(this)
    }

    fn add(&mut self, page: Cap<SmallPage>) -> Done {
        let address = page.page_get_address()?;
        let seen = &self.seen[..self.count];
        assert!(!seen.contains(&address), "two pages at {address:#x}");
        self.seen[self.count] = address;
        self.count += 1;
        Ok(())
    }
}

/// Makes pages of an untyped until it is full, and goes on.
pub fn full_untyped_retyped(world: &mut dyn World, prey: &Prey) -> Done {
    let untyped: Cap<Untyped> = world.objects().make_sized(14)?;
    let mut addresses = Addresses::new(prey)?;
    let mut made = 0;
    for _ in 0..12 {
        let slot = world.objects().slot()?;
        if let Ok(page) = untyped.untyped_retype::<SmallPage>(0, slot) {
            made += 1;
            addresses.add(page)?;
        }
    }
    assert_eq!(made, 4);
    Ok(())
}

/// Makes objects of an untyped and of its copy, which is the same memory.
pub fn untyped_and_its_copy_retyped(world: &mut dyn World, prey: &Prey) -> Done {
    let untyped: Cap<Untyped> = world.objects().make_sized(14)?;
    let copy = world.objects().copy(untyped, CapRights::ALL)?;
    let mut addresses = Addresses::new(prey)?;
    for of in [copy, untyped, copy, untyped, copy, copy, untyped, copy] {
        let slot = world.objects().slot()?;
        if let Ok(page) = of.untyped_retype::<SmallPage>(0, slot) {
            addresses.add(page)?;
        }
    }
    Ok(())
}

/// Copies an untyped that a page is made of, and makes another page of the copy.
pub fn live_untyped_copied(world: &mut dyn World, _: &Prey) -> Done {
    let untyped: Cap<Untyped> = world.objects().make_sized(12)?;
    let slot = world.objects().slot()?;
    untyped.untyped_retype::<SmallPage>(0, slot)?;
    for refused in [
        world.objects().copy(untyped, CapRights::ALL),
        world.objects().mint(untyped, CapRights::ALL, 1),
    ] {
        assert_eq!(refused, Err(AllocationError::Refused(Error::RevokeFirst)));
    }
    Ok(())
}

/// Has two allocators make objects of the same untypeds.
pub fn untypeds_in_two_allocators(world: &mut dyn World, prey: &Prey) -> Done {
    let memory = |it: &UntypedDesc| !it.is_device;
    let mut allocators = [(); 2].map(|()| {
        let slots = world.objects().slots(16);
        let slots = slots.expect("the allocator has more slots");
        Allocator::with(world.info().untypeds().filter(memory), slots)
    });
    let mut addresses = Addresses::new(prey)?;
    for count in 0..12 {
        match allocators[count % 2].make() {
            Ok(page) => addresses.add(page)?,
            Err(AllocationError::Memory { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Gives an allocator an untyped with another size and address than it has.
pub fn forged_description_of_an_untyped(world: &mut dyn World, prey: &Prey) -> Done {
    let forged = UntypedDesc {
        cap: world.objects().make_sized(12)?,
        paddr: prey.page.page_get_address()?,
        size_bits: usize::BITS as usize - 1,
        is_device: true,
    };
    let slots = world.objects().slots(16)?;
    let mut objects = Allocator::with([forged; 3].into_iter(), slots);
    let mut addresses = Addresses::new(prey)?;
    addresses.add(objects.make()?)?;
    for _ in 0..4 {
        let refused = objects.make::<SmallPage>();
        assert!(matches!(refused, Err(AllocationError::Memory { .. })));
    }
    Ok(())
}

/// Makes objects of absurd sizes, with which a computation might overflow.
pub fn absurd_sizes(world: &mut dyn World, _: &Prey) -> Done {
    let untyped: Cap<Untyped> = world.objects().make_sized(12)?;
    for bits in [0, 1, 47, 62, 63, 64, 1 << 20, usize::MAX - 4, usize::MAX] {
        assert!(world.objects().make_sized::<Untyped>(bits).is_err());
        if bits != 1 {
            assert!(world.objects().make_sized::<CNode>(bits).is_err());
        }
        let slot = world.objects().slot()?;
        let refused = untyped.untyped_retype::<Untyped>(bits, slot);
        assert!(refused.is_err(), "2^{bits} bytes of 2^12");
    }
    assert!(world.objects().slots(usize::MAX).is_err());
    Ok(())
}

/// Makes the same page of a device twice, with one account and with two.
pub fn device_page_twice(world: &mut dyn World, _: &Prey) -> Done {
    let info = world.info();
    let page = |untyped: &UntypedDesc| untyped.size_bits >= 12;
    let Some(device) = info.device_untypeds().find(page) else {
        return Ok(());
    };
    let taken = Err(AllocationError::Taken {
        paddr: device.paddr,
    });
    let mut devices = Devices::new(&info);
    devices.page::<SmallPage>(world.objects(), device.paddr)?;
    let again = devices.page::<SmallPage>(world.objects(), device.paddr);
    assert_eq!(again, taken);
    let other = Devices::new(&info).page::<SmallPage>(world.objects(), device.paddr);
    assert!(other.is_err());
    Ok(())
}

/// Puts a page table where the page's is, and gives the own VSpace another identifier.
pub fn tables_over_memory(world: &mut dyn World, prey: &Prey) -> Done {
    let vspace = world.info().vspace();
    let table: Cap<PageTable> = world.objects().make()?;
    let address = core::ptr::from_ref(prey).addr();
    // The last two are the kernel's, or nobody's.
    for address in [address, usize::MAX, usize::MAX - usize::MAX / 16] {
        let mapped = table.page_table_map(vspace, address, VmAttributes::DEFAULT);
        assert!(mapped.is_err(), "a table at {address:#x}");
    }
    assert!(world.info().asid_pool().asid_pool_assign(vspace).is_err());
    Ok(())
}

// SPDX-License-Identifier: BSD-2-Clause

//! Pages, page tables and address spaces.

#[libsel4_test::tests]
pub mod tests {
    use core::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use libsel4::{
        AllocationError, Cap, CapRights, Error, Fault, FaultEndpoint, FixedSize, LargePage,
        LookupFailure, Page, PageTable, SmallPage, Untyped, VSpace, VmAttributes,
    };
    use libsel4_test::Resources;

    type Done = Result<(), AllocationError>;

    const PAGE: usize = 1 << <SmallPage as FixedSize>::SIZE_BITS;

    fn map<T: Page>(t: &mut Resources, page: Cap<T>, address: usize, rights: CapRights) -> Done {
        let vspace = t.info.vspace();
        // SAFETY: where nothing is; and the tests look at the memory through volatile reads.
        unsafe {
            t.objects
                .map_page(vspace, page, address, rights, VmAttributes::DATA)
        }
    }

    fn read(address: usize) -> usize {
        // SAFETY: a page is mapped there, in which any bits are a number.
        unsafe { core::ptr::with_exposed_provenance::<usize>(address).read_volatile() }
    }

    fn write(address: usize, value: usize) {
        // SAFETY: a page is mapped there, which holds nothing but such numbers.
        unsafe { core::ptr::with_exposed_provenance_mut::<usize>(address).write_volatile(value) }
    }

    /// The fault of a thread that does `body`.
    fn fault_of(
        t: &mut Resources,
        body: impl FnOnce() + Send + 'static,
    ) -> Result<Fault, AllocationError> {
        let service = t.service()?;
        let faults = t.objects.mint(service.endpoint, CapRights::ALL, 1)?;
        // SAFETY: nobody answers its faults.
        let faults = unsafe { FaultEndpoint::new(faults) };
        t.spawn_watched(faults, body)?;
        let (info, badge) = service.recv();
        assert_eq!(badge, 1);
        Ok(Fault::of(info))
    }

    #[test]
    fn a_page_in_two_places_is_one_page(t: &mut Resources) -> Done {
        let (here, there) = (
            t.free_addresses().start,
            t.free_addresses().start + 5 * PAGE,
        );
        let page: Cap<SmallPage> = t.objects.make()?;
        let copy = t.objects.copy(page, CapRights::ALL)?;
        map(t, page, here, CapRights::READ_WRITE)?;
        map(t, copy, there, CapRights::READ_WRITE)?;
        for offset in (0..PAGE).step_by(size_of::<usize>()) {
            assert_eq!(
                read(there + offset),
                0,
                "a fresh page is not empty at {offset:#x}"
            );
            write(here + offset, offset ^ 0x55);
        }
        for offset in (0..PAGE).step_by(size_of::<usize>()) {
            assert_eq!(read(there + offset), offset ^ 0x55);
        }
        assert_eq!(page.page_get_address()?, copy.page_get_address()?);

        // SAFETY: nobody but this test uses it.
        unsafe { copy.page_unmap()? };
        let fault = fault_of(t, move || {
            read(there);
        })?;
        assert!(
            matches!(fault, Fault::Vm { address, instruction: false, .. } if address == there),
            "{fault:?}"
        );
        assert_eq!(read(here), 0x55);
        Ok(())
    }

    #[test]
    fn a_page_for_reading_is_not_written_to(t: &mut Resources) -> Done {
        let here = t.free_addresses().start;
        let page: Cap<SmallPage> = t.objects.make()?;
        map(t, page, here, CapRights::READ)?;
        assert_eq!(read(here), 0);
        let fault = fault_of(t, move || write(here, 1))?;
        assert!(
            matches!(fault, Fault::Vm { address, instruction: false, .. } if address == here),
            "{fault:?}"
        );
        // Mapped again with more rights, at the same place.
        map(t, page, here, CapRights::READ_WRITE)?;
        write(here, 1);
        assert_eq!(read(here), 1);
        Ok(())
    }

    #[test]
    fn memory_is_cleared_before_it_is_given_again(t: &mut Resources) -> Done {
        let here = t.free_addresses().start;
        let root = t.info.cnode();
        let untyped: Cap<Untyped> = t.objects.make_sized(12)?;
        for _ in 0..3 {
            let slot = t.objects.slot()?;
            let page: Cap<SmallPage> = untyped.untyped_retype(0, slot)?;
            map(t, page, here, CapRights::READ_WRITE)?;
            assert_eq!(read(here + 0x80), 0);
            write(here + 0x80, 0xdead);
            // SAFETY: nobody uses the page any more.
            unsafe { root.slot_of(untyped).cnode_revoke()? };
        }
        Ok(())
    }

    #[test]
    fn where_a_table_is_missing_the_kernel_says_so(t: &mut Resources) -> Done {
        let (here, vspace) = (t.free_addresses().start, t.info.vspace());
        let page: Cap<SmallPage> = t.objects.make()?;
        let place = |address| {
            // SAFETY: where nothing is.
            unsafe { page.page_map(vspace, address, CapRights::READ_WRITE, VmAttributes::DATA) }
        };
        let refused = place(here);
        let Err(Error::FailedLookup {
            source: false,
            failure: LookupFailure::MissingCapability { bits_left },
        }) = refused
        else {
            panic!("{refused:?}");
        };
        assert!(
            bits_left > <SmallPage as FixedSize>::SIZE_BITS && bits_left < usize::BITS as usize,
            "{bits_left}"
        );
        assert_eq!(place(here + 8), Err(Error::AlignmentError));
        map(t, page, here, CapRights::READ_WRITE)?;
        // By this capability it is mapped there and nowhere else, and no other page comes there.
        assert_eq!(
            place(here + PAGE),
            Err(Error::InvalidArgument { argument: 0 })
        );
        let other: Cap<SmallPage> = t.objects.make()?;
        // SAFETY: only this test uses what is there.
        let taken =
            unsafe { other.page_map(vspace, here, CapRights::READ_WRITE, VmAttributes::DATA) };
        // On ARM and x86 it takes the place of the other.
        let expected = if cfg!(CONFIG_ARCH_RISCV) {
            Err(Error::DeleteFirst)
        } else {
            Ok(())
        };
        assert_eq!(taken, expected);
        Ok(())
    }

    #[test]
    fn a_page_table_comes_and_goes(t: &mut Resources) -> Done {
        let (here, vspace) = (t.free_addresses().start, t.info.vspace());
        let page: Cap<SmallPage> = t.objects.make()?;
        // It makes what is missing, of which the last level is made again by hand.
        map(t, page, here, CapRights::READ_WRITE)?;
        // SAFETY: nobody uses the page.
        unsafe { page.page_unmap()? };
        let other: Cap<PageTable> = t.objects.make()?;
        let taken = other.page_table_map(vspace, here, VmAttributes::DEFAULT);
        assert_eq!(taken, Err(Error::DeleteFirst));
        let far = here + 0x400_0000;
        let mut tables = [None; 4];
        for place in &mut tables {
            let table: Cap<PageTable> = t.objects.make()?;
            match table.page_table_map(vspace, far, VmAttributes::DEFAULT) {
                Ok(()) => *place = Some(table),
                Err(error) => assert_eq!(error, Error::DeleteFirst),
            }
        }
        map(t, page, far, CapRights::READ_WRITE)?;
        write(far, 7);
        for table in tables.into_iter().flatten() {
            // SAFETY: nobody but this test uses what is mapped with it.
            unsafe { table.page_table_unmap()? };
        }
        let fault = fault_of(t, move || write(far, 8))?;
        assert!(
            matches!(fault, Fault::Vm { address, .. } if address == far),
            "{fault:?}"
        );
        Ok(())
    }

    #[test]
    fn a_large_page_is_one_piece(t: &mut Resources) -> Done {
        let size = 1_usize << <LargePage as FixedSize>::SIZE_BITS;
        let here = t.free_addresses().start.next_multiple_of(size);
        let page: Cap<LargePage> = t.objects.make()?;
        map(t, page, here, CapRights::READ_WRITE)?;
        write(here, 1);
        write(here + size - size_of::<usize>(), 2);
        assert_eq!((read(here), read(here + size - size_of::<usize>())), (1, 2));
        assert_eq!(page.page_get_address()? % size, 0);
        Ok(())
    }

    #[test]
    fn a_new_address_space_takes_an_identifier(t: &mut Resources) -> Done {
        let here = t.free_addresses().start;
        let vspace: Cap<VSpace> = t.objects.make()?;
        let page: Cap<SmallPage> = t.objects.make()?;
        // SAFETY: nothing runs there.
        let early =
            unsafe { page.page_map(vspace, here, CapRights::READ_WRITE, VmAttributes::DATA) };
        assert!(early.is_err(), "without identifier it cannot be used");
        t.info.asid_pool().asid_pool_assign(vspace)?;
        let again = t.info.asid_pool().asid_pool_assign(vspace);
        assert!(
            matches!(again, Err(Error::InvalidCapability { argument: 1 })),
            "{again:?}"
        );
        let copy = t.objects.copy(page, CapRights::ALL)?;
        // SAFETY: nothing runs there.
        unsafe {
            t.objects.map_page(
                vspace,
                page,
                here,
                CapRights::READ_WRITE,
                VmAttributes::DATA,
            )?
        };
        // The same address in the own address space is another place.
        map(t, copy, here + PAGE, CapRights::READ_WRITE)?;
        write(here + PAGE, 3);
        Ok(())
    }

    #[test]
    fn a_new_pool_has_identifiers(t: &mut Resources) -> Done {
        let control = t.info.asid_control();
        let small: Cap<Untyped> = t.objects.make_sized(11)?;
        let refused = control.asid_control_make_pool(small, t.objects.slot()?);
        let expected = Error::InvalidCapability { argument: 1 };
        assert_eq!(refused.map_err(Error::from), Err(expected));
        let untyped: Cap<Untyped> = t.objects.make_sized(12)?;
        let pool = control.asid_control_make_pool(untyped, t.objects.slot()?)?;
        for _ in 0..3 {
            let vspace: Cap<VSpace> = t.objects.make()?;
            pool.asid_pool_assign(vspace)?;
        }
        // The untyped has become the pool.
        let refused = control.asid_control_make_pool(untyped, t.objects.slot()?);
        assert_eq!(refused.map_err(Error::from), Err(Error::RevokeFirst));
        Ok(())
    }

    #[cfg(CONFIG_ARCH_ARM)]
    #[test]
    fn caches_are_cleaned_within_the_page(t: &mut Resources) -> Done {
        let (here, vspace) = (t.free_addresses().start, t.info.vspace());
        let page: Cap<SmallPage> = t.objects.make()?;
        map(t, page, here, CapRights::READ_WRITE)?;
        write(here, 9);
        page.page_clean_data(0, PAGE)?;
        page.page_clean_invalidate_data(0, PAGE)?;
        page.page_unify_instruction(0, PAGE)?;
        vspace.vspace_clean_data(here, here + PAGE)?;
        vspace.vspace_clean_invalidate_data(here, here + PAGE)?;
        vspace.vspace_unify_instruction(here, here + PAGE)?;
        assert_eq!(read(here), 9);
        assert!(page.page_clean_data(0, PAGE + 1).is_err());
        assert!(page.page_clean_data(8, 8).is_err());
        Ok(())
    }

    /// The page after the last one that a test maps.
    static NEXT: AtomicUsize = AtomicUsize::new(0);

    #[test]
    fn a_fault_is_mended_and_the_thread_goes_on(t: &mut Resources) -> Done {
        let here = t.free_addresses().start;
        NEXT.store(0, SeqCst);
        let service = t.service()?;
        let faults = t.objects.mint(service.endpoint, CapRights::ALL, 1)?;
        let done = t.objects.mint(service.endpoint, CapRights::ALL, 2)?;
        let body = move || {
            for number in 0..3 {
                write(here + number * PAGE, number);
                NEXT.store(number + 1, SeqCst);
            }
            done.send(Default::default());
        };
        // SAFETY: the answers to its faults are empty.
        let faults = unsafe { FaultEndpoint::new(faults) };
        t.spawn_watched(faults, body)?;
        for number in 0..3 {
            let (info, badge) = service.recv();
            assert_eq!((badge, NEXT.load(SeqCst)), (1, number));
            let Fault::Vm { address, .. } = Fault::of(info) else {
                panic!("{:?}", Fault::of(info));
            };
            assert_eq!(address, here + number * PAGE);
            // On a kernel without MCS the way back to the thread outlives what is done meanwhile.
            let page: Cap<SmallPage> = t.objects.make()?;
            map(t, page, address, CapRights::READ_WRITE)?;
            service.reply(Default::default());
        }
        assert_eq!(service.recv().1, 2);
        Ok(())
    }
}

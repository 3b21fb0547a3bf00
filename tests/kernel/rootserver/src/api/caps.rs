// SPDX-License-Identifier: BSD-2-Clause

//! Operations on slots, with every error that the kernel returns for them.

#[libsel4_test::tests]
pub mod tests {
    use libsel4::{
        AllocationError, CNode, Cap, CapRights, Endpoint, Error, FaultEndpoint, FillError,
        FixedSize, Guard, LookupFailure, Notification, Slot, SmallPage, Tcb, Untyped,
    };
    use libsel4_test::Resources;

    type Done = Result<(), AllocationError>;

    /// Returns whether the slot is empty: the kernel then refuses to copy it.
    fn is_empty(t: &mut Resources, slot: Slot) -> Result<bool, AllocationError> {
        let to = t.objects.slot()?.into_slot();
        // SAFETY: nothing else names the slot.
        let copied = unsafe { to.cnode_copy(slot, CapRights::ALL) };
        Ok(matches!(copied, Err(Error::FailedLookup { .. })))
    }

    #[test]
    fn a_copy_leads_to_the_same_object(t: &mut Resources) -> Done {
        let bell: Cap<Notification> = t.objects.make()?;
        let copy = t.objects.copy(bell, CapRights::ALL)?;
        let badged = t.objects.mint(bell, CapRights::ALL, 8)?;
        badged.signal();
        assert_eq!(copy.poll(), Some(8));
        Ok(())
    }

    #[test]
    fn a_copy_has_no_more_rights_than_it_was_given(t: &mut Resources) -> Done {
        let bell: Cap<Notification> = t.objects.make()?;
        let reader = t.objects.mint(bell, CapRights::READ, 8)?;
        let service = t.service()?;
        let writer = t.objects.copy(bell, CapRights::WRITE)?;
        let watched = t.objects.mint(service.endpoint, CapRights::ALL, 1)?;
        // Signalling without the right to write does nothing; waiting without that to read is a fault.
        reader.signal();
        assert_eq!(reader.poll(), None);
        let body = move || {
            writer.wait();
        };
        // SAFETY: nobody answers its faults.
        let watched = unsafe { FaultEndpoint::new(watched) };
        t.spawn_watched(watched, body)?;
        let (info, _) = service.recv();
        let fault = libsel4::Fault::of(info);
        assert!(
            matches!(fault, libsel4::Fault::Cap { address, in_receive_phase: true, .. } if address == writer.word()),
            "{fault:?}"
        );
        Ok(())
    }

    #[test]
    fn moving_empties_the_source(t: &mut Resources) -> Done {
        let root = t.info.cnode();
        let bell: Cap<Notification> = t.objects.make()?;
        let badged = t.objects.mint(bell, CapRights::ALL, 0x20)?;
        let to = t.objects.slot()?.into_slot();
        // SAFETY: the old address is not used again.
        unsafe { to.cnode_move(root.slot_of(badged))? };
        assert!(is_empty(t, root.slot_of(badged))?);
        // SAFETY: it was moved there.
        unsafe { to.cap::<Notification>() }.signal();
        assert_eq!(bell.poll(), Some(0x20));
        Ok(())
    }

    #[test]
    fn mutating_gives_a_cnode_another_guard(t: &mut Resources) -> Done {
        let root = t.info.cnode();
        let bell: Cap<Notification> = t.objects.make()?;
        let node: Cap<CNode> = t.objects.make_sized(4)?;
        let in_node = node.slot(2, 4);
        // SAFETY: the CNode is new, and no thread has it as its CSpace.
        unsafe { in_node.cnode_mint(root.slot_of(bell), CapRights::ALL, 9)? };
        let to = t.objects.slot()?.into_slot();
        // SAFETY: the old address is not used again.
        unsafe { to.cnode_mutate(root.slot_of(node), Guard::new(0b11, 2).word())? };
        assert!(is_empty(t, root.slot_of(node))?);
        // SAFETY: the CNode was moved there.
        let node: Cap<CNode> = unsafe { to.cap() };
        let back = t.objects.slot()?.into_slot();
        // SAFETY: nothing else names the slot.
        unsafe { back.cnode_copy(node.slot(0b11_0010, 6), CapRights::ALL)? };
        // SAFETY: the notification was copied there.
        unsafe { back.cap::<Notification>() }.signal();
        assert_eq!(bell.poll(), Some(9));
        // What has a badge or could have one is not given another so.
        let to = t.objects.slot()?.into_slot();
        // SAFETY: it is refused.
        let refused = unsafe { to.cnode_mutate(root.slot_of(bell), 5) };
        assert_eq!(refused, Err(Error::IllegalOperation));
        Ok(())
    }

    #[test]
    fn rotating_moves_two_at_once(t: &mut Resources) -> Done {
        let root = t.info.cnode();
        let pivot: Cap<SmallPage> = t.objects.make()?;
        let source: Cap<SmallPage> = t.objects.make()?;
        let (first, second) = (pivot.page_get_address()?, source.page_get_address()?);
        assert_ne!(first, second);
        let empty = t.objects.slot()?.into_slot();
        let rotate = || {
            // SAFETY: all three slots hold pages, or nothing, before and after.
            unsafe { empty.cnode_rotate(0, root.slot_of(pivot), 0, root.slot_of(source)) }
        };
        rotate()?;
        assert!(is_empty(t, root.slot_of(source))?);
        // What was the pivot's is in the empty slot, and the source's is in the pivot's.
        // SAFETY: as was said.
        let last: Cap<SmallPage> = unsafe { empty.cap() };
        assert_eq!(last.page_get_address(), Ok(first));
        assert_eq!(pivot.page_get_address(), Ok(second));
        assert_eq!(rotate(), Err(Error::DeleteFirst));
        // In its own place the source is exchanged with the pivot.
        // SAFETY: both slots hold pages before and after.
        unsafe { empty.cnode_rotate(0, root.slot_of(pivot), 0, empty)? };
        assert_eq!(last.page_get_address(), Ok(second));
        assert_eq!(pivot.page_get_address(), Ok(first));
        let bell: Cap<Notification> = t.objects.make()?;
        let to = t.objects.slot()?.into_slot();
        // SAFETY: it is refused.
        let refused = unsafe { to.cnode_rotate(0, root.slot_of(bell), 0, empty) };
        assert_eq!(refused, Err(Error::IllegalOperation));
        Ok(())
    }

    #[test]
    fn revoking_takes_the_copies_and_leaves_the_original(t: &mut Resources) -> Done {
        let root = t.info.cnode();
        let bell: Cap<Notification> = t.objects.make()?;
        let copies = [
            t.objects.mint(bell, CapRights::ALL, 1)?,
            t.objects.mint(bell, CapRights::READ, 2)?,
        ];
        // SAFETY: the copies are not used again.
        unsafe { root.slot_of(bell).cnode_revoke()? };
        for copy in copies {
            assert!(is_empty(t, root.slot_of(copy))?);
        }
        assert!(!is_empty(t, root.slot_of(bell))?);
        // SAFETY: it is not used again.
        unsafe { root.slot_of(bell).cnode_delete()? };
        assert!(is_empty(t, root.slot_of(bell))?);
        // Deleting nothing is no error.
        // SAFETY: nothing is there.
        unsafe { root.slot_of(bell).cnode_delete()? };
        Ok(())
    }

    #[test]
    fn revoking_an_untyped_destroys_what_is_made_of_it(t: &mut Resources) -> Done {
        let root = t.info.cnode();
        let untyped: Cap<Untyped> = t.objects.make_sized(14)?;
        let slot = t.objects.slot()?.into_slot();
        // SAFETY: nothing else names the slot.
        unsafe { untyped.untyped_retype_at::<Tcb>(0, root.itself(), slot.index(), 1)? };
        assert!(!is_empty(t, slot)?);
        // SAFETY: the thread never ran.
        unsafe { root.slot_of(untyped).cnode_revoke()? };
        assert!(is_empty(t, slot)?);
        // SAFETY: nothing names the slot any more.
        unsafe { untyped.untyped_retype_at::<Untyped>(14, root.itself(), slot.index(), 1)? };
        Ok(())
    }

    #[test]
    fn slots_of_an_own_cnode_are_reached_by_index_and_guard(t: &mut Resources) -> Done {
        let root = t.info.cnode();
        let bell: Cap<Notification> = t.objects.make()?;
        let node: Cap<CNode> = t.objects.make_sized(4)?;
        let in_node = node.slot(11, 4);
        // SAFETY: the CNode is new, and no thread has it as its CSpace.
        unsafe { in_node.cnode_mint(root.slot_of(bell), CapRights::ALL, 3)? };
        // A copy of the CNode's capability with a guard of 3 bits, 0b101, before the 4 of the index.
        let guard = Guard::new(0b101, 3).word();
        let guarded = t.objects.mint(node, CapRights::ALL, guard)?;
        let back = t.objects.slot()?.into_slot();
        // SAFETY: nothing else names the slot.
        unsafe { back.cnode_copy(guarded.slot(0b101_1011, 7), CapRights::ALL)? };
        // SAFETY: the notification was copied there.
        unsafe { back.cap::<Notification>() }.signal();
        assert_eq!(bell.poll(), Some(3));

        let to = t.objects.slot()?.into_slot();
        // SAFETY: nothing else names the slot.
        let refused = unsafe { to.cnode_copy(guarded.slot(0b111_1011, 7), CapRights::ALL) };
        let failure = LookupFailure::GuardMismatch {
            bits_left: 7,
            guard_found: 0b101,
            bits_found: 3,
        };
        assert_eq!(
            refused,
            Err(Error::FailedLookup {
                source: true,
                failure
            })
        );
        // SAFETY: nothing else names the slot.
        let refused = unsafe { to.cnode_copy(node.slot(0, 3), CapRights::ALL) };
        let failure = LookupFailure::DepthMismatch {
            bits_left: 3,
            bits_found: 4,
        };
        assert_eq!(
            refused,
            Err(Error::FailedLookup {
                source: true,
                failure
            })
        );
        Ok(())
    }

    #[test]
    fn every_error_of_making_objects_has_its_details(t: &mut Resources) -> Done {
        let root = t.info.cnode();
        let untyped: Cap<Untyped> = t.objects.make_sized(12)?;
        let slot = t.objects.slot()?.into_slot();
        // SAFETY: the slots are taken or do not exist, or nothing else names them.
        let into = |index, count| unsafe {
            untyped.untyped_retype_at::<Endpoint>(0, root.itself(), index, count)
        };
        assert_eq!(
            into(slot.index(), 0),
            Err(Error::RangeError { min: 1, max: 256 })
        );
        assert_eq!(into(t.tcb.word(), 1), Err(Error::DeleteFirst));
        let node_bits = t.info.init_thread_cnode_size_bits();
        let last = (1 << node_bits) - 1;
        assert_eq!(
            into(last + 1, 1),
            Err(Error::RangeError { min: 0, max: last })
        );
        let empty = t.objects.slot()?;
        let Err(FillError { error, slot: empty }) = untyped.untyped_retype::<Untyped>(13, empty)
        else {
            panic!("more memory than there is");
        };
        assert_eq!(error, Error::NotEnoughMemory { bytes_left: 4096 });
        let refused = untyped.untyped_retype::<CNode>(0, empty);
        assert!(refused.is_err(), "a CNode of one slot");
        into(slot.index(), 1)?;
        assert_eq!(into(slot.index(), 1), Err(Error::DeleteFirst));
        // Copied is an untyped only while nothing is made of it.
        let refused = t.objects.copy(untyped, CapRights::ALL);
        assert_eq!(refused, Err(AllocationError::Refused(Error::RevokeFirst)));
        Ok(())
    }

    #[test]
    fn an_empty_slot_is_not_copied(t: &mut Resources) -> Done {
        let (to, from) = (t.objects.slot()?.into_slot(), t.objects.slot()?.into_slot());
        let bits_left = usize::BITS as usize;
        let failure = LookupFailure::MissingCapability { bits_left };
        // SAFETY: nothing else names the slot.
        let refused = unsafe { to.cnode_copy(from, CapRights::ALL) };
        let source = true;
        assert_eq!(refused, Err(Error::FailedLookup { source, failure }));
        Ok(())
    }

    #[test]
    fn memory_comes_to_its_end_and_is_there_again(t: &mut Resources) -> Done {
        let root = t.info.cnode();
        let untyped: Cap<Untyped> = t.objects.make_sized(16)?;
        let node: Cap<CNode> = t.objects.make_sized(8)?;
        let fitting = (1 << 16) >> <Tcb as FixedSize>::SIZE_BITS;
        let node_slot = root.slot_of(node);
        for _ in 0..3 {
            for index in 0..fitting {
                // SAFETY: the CNode is new, and no thread has it as its CSpace.
                unsafe { untyped.untyped_retype_at::<Tcb>(0, node_slot, index, 1)? };
            }
            // SAFETY: as above.
            let refused = unsafe { untyped.untyped_retype_at::<Tcb>(0, node_slot, fitting, 1) };
            assert_eq!(refused, Err(Error::NotEnoughMemory { bytes_left: 0 }));
            // SAFETY: none of the threads ran.
            unsafe { root.slot_of(untyped).cnode_revoke()? };
        }
        while t.objects.make_sized::<Untyped>(18).is_ok() {}
        let refused = t.objects.make_sized::<Untyped>(18);
        assert_eq!(refused, Err(AllocationError::Memory { size_bits: 18 }));
        Ok(())
    }

    #[test]
    fn several_objects_are_made_at_once(t: &mut Resources) -> Done {
        let untyped: Cap<Untyped> = t.objects.make_sized(12)?;
        let bells = t.objects.slots(3)?;
        let bells = untyped.untyped_retype_all::<Notification>(0, bells)?;
        assert_eq!(bells.len(), 3);
        for (bell, badge) in bells.zip(1..) {
            t.objects.mint(bell, CapRights::ALL, badge)?.signal();
            assert_eq!(bell.poll(), Some(badge));
        }
        let refused = untyped.untyped_retype_all::<Notification>(0, t.objects.slots(0)?);
        assert_eq!(
            refused.map(drop).map_err(Error::from),
            Err(Error::RangeError { min: 1, max: 256 })
        );
        Ok(())
    }

    #[test]
    fn slots_come_to_their_end(t: &mut Resources) -> Done {
        let mut count = 0;
        while t.objects.slot().is_ok() {
            count += 1;
        }
        assert!(count > 100, "{count} slots");
        assert_eq!(t.objects.slot(), Err(AllocationError::Slots));
        assert_eq!(t.objects.make::<Tcb>(), Err(AllocationError::Slots));
        Ok(())
    }
}

// SPDX-License-Identifier: GPL-2.0-only

//! Capabilities and untyped memory: creation, copying, moving, deletion and errors.

// The registers and numbers here are x86_64's.
#![cfg(target_arch = "x86_64")]

mod common;

use common::*;
use sel4_hosted_kernel::{Config, Invocation, Invocation::*, MessageInfo, Register, ThreadState};

const ALL: usize = 15;

#[test]
fn the_boot_info_describes_the_system() {
    let system = System::new();
    assert_eq!(system.boot_info(2), 1, "nodes");
    assert_eq!(system.boot_info(4), system.layout.ipc_buffer);
    assert_eq!(system.boot_info(17), 13, "bits of the root CNode");
    let (frames, end) = (system.boot_info(9), system.boot_info(10));
    assert_eq!(end - frames, 4, "pages of the image");
    let bytes: usize = system.untypeds().iter().map(|untyped| 1 << untyped.2).sum();
    assert!(bytes > 60 << 20, "{bytes}");
    for (_, paddr, bits, _) in system.untypeds() {
        assert_eq!(paddr % (1 << bits), 0);
    }
    assert_eq!(system.register(Register::Rdi), system.layout.boot_info);
    system.kernel.check().unwrap();
}

#[test]
fn the_initial_thread_has_the_capabilities_it_has_on_the_kernel() {
    let mut system = System::new();
    let tags: Vec<usize> = (0..16).map(|slot| system.identify(slot)).collect();
    assert_eq!(
        tags,
        [0, 12, 10, 9, 14, 11, 13, 31, 0, 1, 1, 20, 0, 0, 0, 0]
    );
}

#[test]
fn invalid_retypes_are_refused_as_by_the_kernel() {
    let mut system = System::new();
    let memory = system.memory();
    let free = system.slot();
    let mut refused = |kind, bits, index, depth, offset, count| {
        system.invoke(
            memory,
            UntypedRetype,
            &[CNODE],
            &[kind, bits, index, depth, offset, count],
        )
    };
    let all = usize::MAX;
    assert_eq!(refused(99, 0, 0, 0, free, 1), (1, vec![0]), "type");
    assert_eq!(
        refused(TCB_OBJECT, 64, 0, 0, free, 1),
        (4, vec![0, 47]),
        "size"
    );
    assert_eq!(
        refused(CNODE_OBJECT, all, 0, 0, free, 1),
        (4, vec![0, 47]),
        "size"
    );
    assert_eq!(
        refused(CNODE_OBJECT, 0, 0, 0, free, 1),
        (1, vec![1]),
        "too small"
    );
    assert_eq!(
        refused(UNTYPED_OBJECT, 3, 0, 0, free, 1),
        (1, vec![1]),
        "too small"
    );
    assert_eq!(
        refused(TCB_OBJECT, 0, 0, 65, free, 1),
        (4, vec![1, 64]),
        "depth"
    );
    assert_eq!(
        refused(TCB_OBJECT, 0, free, 64, 1, 1),
        (6, vec![0, 2, 64]),
        "no CNode"
    );
    assert_eq!(
        refused(TCB_OBJECT, 0, all, 8, 1, 1),
        (6, vec![0, 4, 8, 0, 51]),
        "guard"
    );
    assert_eq!(
        refused(TCB_OBJECT, 0, 0, 0, 8192, 1),
        (4, vec![0, 8191]),
        "offset"
    );
    assert_eq!(
        refused(TCB_OBJECT, 0, 0, 0, free, 0),
        (4, vec![1, 256]),
        "none"
    );
    assert_eq!(
        refused(TCB_OBJECT, 0, 0, 0, 8190, 3),
        (4, vec![1, 2]),
        "window"
    );
    assert_eq!(refused(TCB_OBJECT, 0, 0, 0, 1, 1), (8, vec![]), "taken");
    let (error, words) = refused(UNTYPED_OBJECT, 40, 0, 0, free, 1);
    assert_eq!((error, words.len()), (10, 1), "memory");
    let few = system.invoke(memory, UntypedRetype, &[CNODE], &[1, 0, 0, 0, 1]);
    assert_eq!(few, (7, vec![]), "words");
    let none = system.invoke(memory, UntypedRetype, &[], &[1, 0, 0, 0, free, 1]);
    assert_eq!(none, (7, vec![]), "capabilities");
    assert_eq!(
        system.invoke(memory, CNodeCopy, &[], &[]),
        (3, vec![]),
        "not of untypeds"
    );
}

#[test]
fn an_untyped_is_exhausted_and_free_again_after_a_revoke() {
    let mut system = System::new();
    let memory = system.memory();
    let small = system.retype(memory, UNTYPED_OBJECT, 13, 1);
    let first = system.retype(small, ENDPOINT_OBJECT, 0, 1);
    // TCBs are aligned to 2 KiB. The endpoint takes the first quarter of the 8 KiB.
    let tcb = system.retype(small, TCB_OBJECT, 0, 3);
    let slot = system.slot();
    let again = system.invoke(
        small,
        UntypedRetype,
        &[CNODE],
        &[TCB_OBJECT, 0, 0, 0, slot, 1],
    );
    assert_eq!(again, (10, vec![0]));
    system.revoke(small);
    assert_eq!(
        [first, tcb, tcb + 2].map(|slot| system.identify(slot)),
        [0; 3]
    );
    assert_eq!(system.retype(small, TCB_OBJECT, 0, 4), slot + 1);
}

#[test]
fn reused_memory_is_zeroed() {
    let mut system = System::new();
    let memory = system.memory();
    let small = system.retype(memory, UNTYPED_OBJECT, 12, 1);
    let frame = system.retype(small, PAGE_OBJECT, 0, 1);
    let paddr = system.invoke_ok(frame, X86PageGetAddress, &[], &[])[0];
    system.kernel.machine_mut().words.insert(paddr + 8, 17);
    system.delete(frame);
    assert_eq!(system.kernel.machine().words[&(paddr + 8)], 17);
    let frame = system.retype(small, PAGE_OBJECT, 0, 1);
    assert_eq!(
        system.invoke_ok(frame, X86PageGetAddress, &[], &[]),
        [paddr]
    );
    assert!(!system.kernel.machine().words.contains_key(&(paddr + 8)));
}

#[test]
fn device_memory_becomes_frames_only() {
    let config = Config {
        devices: vec![sel4_hosted_kernel::Region {
            start: 0xfee0_0000,
            end: 0xfee0_2000,
        }],
        ..Config::default()
    };
    let mut system = System::with(&config);
    let device = system.untypeds()[0];
    assert_eq!((device.1, device.2, device.3), (0xfee0_0000, 13, true));
    let slot = system.slot();
    let words = [ENDPOINT_OBJECT, 0, 0, 0, slot, 1];
    assert_eq!(
        system.invoke(device.0, UntypedRetype, &[CNODE], &words),
        (1, vec![1])
    );
    let frame = system.retype(device.0, PAGE_OBJECT, 0, 1);
    let tcb = system.make(TCB_OBJECT);
    let refused = system.invoke(tcb, TCBSetIPCBuffer, &[frame], &[0x1000]);
    assert_eq!(refused, (3, vec![]), "no IPC buffer in device memory");
}

#[test]
fn invalid_copies_are_refused_as_by_the_kernel() {
    let mut system = System::new();
    let (full, empty) = (system.make(ENDPOINT_OBJECT), system.slot());
    let mut copy = |to: [usize; 2], from: [usize; 2]| {
        let words = [to[0], to[1], from[0], from[1], ALL];
        system.invoke(CNODE, CNodeCopy, &[CNODE], &words)
    };
    assert_eq!(
        copy([TCB, 64], [full, 64]),
        (8, vec![]),
        "the destination is taken"
    );
    assert_eq!(copy([empty, 0], [full, 64]), (4, vec![1, 64]), "depth");
    assert_eq!(
        copy([empty, 64], [empty, 64]),
        (6, vec![1, 2, 64]),
        "nothing there"
    );
    assert_eq!(
        copy([empty, 64], [full, 7]),
        (6, vec![1, 4, 7, 0, 51]),
        "guard"
    );
    assert_eq!(
        copy([empty, 64], [0, 52]),
        (6, vec![1, 3, 52, 64]),
        "too short"
    );
    assert_eq!(
        copy([empty, 64], [IRQ_CONTROL, 64]),
        (3, vec![]),
        "cannot be copied"
    );
}

#[test]
fn addresses_are_resolved_through_cnodes() {
    let mut system = System::new();
    let memory = system.memory();
    let node = system.retype(memory, CNODE_OBJECT, 4, 1);
    let endpoint = system.make(ENDPOINT_OBJECT);
    let guarded = system.slot();
    // A guard of 3 bits, 0b101.
    let guard = 0b101 << 6 | 3;
    system.invoke_ok(
        CNODE,
        CNodeMint,
        &[CNODE],
        &[guarded, 64, node, 64, ALL, guard],
    );
    let copy = |system: &mut System, index: usize, depth: usize| {
        let words = [index, depth, endpoint, 64, ALL];
        system.invoke(guarded, CNodeCopy, &[CNODE], &words)
    };
    assert_eq!(copy(&mut system, 0b101_0110, 7), (0, vec![]));
    assert_eq!(
        copy(&mut system, 0b100_0110, 7),
        (6, vec![0, 4, 7, 0b101, 3])
    );
    assert_eq!(
        copy(&mut system, 0b101_0110, 6),
        (6, vec![0, 4, 6, 0b101, 3])
    );
    assert_eq!(copy(&mut system, 0b101_011, 6), (6, vec![0, 3, 6, 7]));
    assert_eq!(copy(&mut system, 0b1010_1100, 8), (6, vec![0, 3, 1, 0]));
}

#[test]
fn badges_and_rights() {
    let mut system = System::new();
    let endpoint = system.make(ENDPOINT_OBJECT);
    let badged = system.mint(endpoint, 17);
    let slot = system.slot();
    let again = system.invoke(CNODE, CNodeMint, &[CNODE], &[slot, 64, badged, 64, ALL, 18]);
    assert_eq!(again, (3, vec![]), "the badge cannot change");
    let moved = system.invoke(CNODE, CNodeMutate, &[CNODE], &[slot, 64, endpoint, 64, 18]);
    assert_eq!(moved, (3, vec![]), "a moved capability gets no badge");
    let reads = system.copy(endpoint, 2);
    let buffer = system.layout.ipc_buffer;
    system.put(buffer, 0, &[], &[]);
    system.syscall(CALL, reads);
    assert_eq!(
        system.message(buffer).1,
        MessageInfo::new(2, 0, 0, 1),
        "no right to send"
    );
    let parts = system.invoke(CNODE, CNodeCancelBadgedSends, &[], &[reads, 64]);
    assert_eq!(parts, (3, vec![]), "only with all rights");
    system.invoke_ok(CNODE, CNodeCancelBadgedSends, &[], &[badged, 64]);
}

#[test]
fn a_revoke_deletes_derived_capabilities_only() {
    let mut system = System::new();
    let endpoint = system.make(ENDPOINT_OBJECT);
    let plain = system.copy(endpoint, ALL);
    let badged = system.mint(endpoint, 17);
    let other = system.mint(endpoint, 18);
    let copy = system.copy(badged, ALL);
    system.revoke(badged);
    let tags = |system: &mut System| {
        [endpoint, plain, badged, other, copy].map(|slot| system.identify(slot))
    };
    assert_eq!(tags(&mut system), [4, 4, 4, 4, 0]);
    // A plain copy is not a parent.
    system.revoke(plain);
    assert_eq!(tags(&mut system), [4, 4, 4, 4, 0]);
    system.revoke(endpoint);
    assert_eq!(tags(&mut system), [4, 0, 0, 0, 0]);
}

#[test]
fn a_badge_that_was_minted_twice_is_revoked_once() {
    let mut system = System::new();
    let endpoint = system.make(ENDPOINT_OBJECT);
    let (first, second) = (system.mint(endpoint, 17), system.mint(endpoint, 17));
    let copy = system.copy(first, ALL);
    // The copy follows the second minted capability in the MDB, with the same badge, and is not
    // derived from it.
    system.delete(first);
    system.revoke(second);
    assert_eq!(system.identify(copy), 4);
}

#[test]
fn capabilities_are_moved_and_rotated() {
    let mut system = System::new();
    let memory = system.memory();
    let node = system.retype(memory, CNODE_OBJECT, 2, 1);
    let (tcb, endpoint) = (system.make(TCB_OBJECT), system.make(ENDPOINT_OBJECT));
    let to = system.slot();
    system.invoke_ok(CNODE, CNodeMove, &[CNODE], &[to, 64, node, 64]);
    assert_eq!([node, to].map(|slot| system.identify(slot)), [0, 10]);
    // The capability in `to` moves to the slot of the TCB, the TCB to the empty slot.
    let rotate = |system: &mut System, to: usize, pivot: usize, from: usize| {
        let words = [to, 64, 0, pivot, 64, 0, from, 64];
        system.invoke(CNODE, CNodeRotate, &[CNODE, CNODE], &words)
    };
    assert_eq!(rotate(&mut system, node, tcb, to), (0, vec![]));
    assert_eq!(
        [node, to, tcb].map(|slot| system.identify(slot)),
        [12, 0, 10]
    );
    // Source and destination are the same: a swap.
    assert_eq!(rotate(&mut system, node, tcb, node), (0, vec![]));
    assert_eq!([node, tcb].map(|slot| system.identify(slot)), [10, 12]);
    assert_eq!(
        rotate(&mut system, tcb, tcb, node),
        (3, vec![]),
        "the pivot is the destination"
    );
    assert_eq!(
        rotate(&mut system, to, endpoint, node),
        (3, vec![]),
        "a moved capability gets no badge"
    );
    assert_eq!(
        rotate(&mut system, to, to, node),
        (3, vec![]),
        "the pivot is the destination"
    );
    assert_eq!(
        rotate(&mut system, to, tcb, 9000),
        (6, vec![1, 4, 64, 0, 51]),
        "no such slot"
    );
}

#[test]
fn deleting_the_final_capability_stops_a_thread() {
    let mut system = System::new();
    let endpoint = system.make(ENDPOINT_OBJECT);
    let thread = system.thread(10, 0);
    let copy = system.copy(thread.tcb, ALL);
    system.delete(thread.tcb);
    assert_eq!(system.kernel.threads().count(), 2);
    system.delete(copy);
    assert_eq!(system.kernel.threads().count(), 1);
    _ = endpoint;
}

#[test]
fn a_cnode_is_deleted_with_its_content() {
    let mut system = System::new();
    let memory = system.memory();
    let node = system.retype(memory, CNODE_OBJECT, 2, 1);
    let thread = system.thread(10, 0);
    let words = [1, 2, thread.tcb, 64];
    system.invoke_ok(node, CNodeMove, &[CNODE], &words);
    // The CNode also holds itself.
    system.invoke_ok(node, CNodeCopy, &[CNODE], &[2, 2, node, 64, ALL]);
    system.delete(node);
    assert_eq!(system.kernel.threads().count(), 2, "it holds itself");
    system.revoke(memory);
    assert_eq!(system.kernel.threads().count(), 1);
}

#[test]
fn a_cnode_in_a_cnode_becomes_a_cyclic_zombie() {
    let mut system = System::new();
    let memory = system.memory();
    let (outer, inner) = {
        let outer = system.retype(memory, CNODE_OBJECT, 2, 1);
        (outer, system.retype(memory, CNODE_OBJECT, 2, 1))
    };
    let thread = system.thread(10, 0);
    system.invoke_ok(inner, CNodeMove, &[CNODE], &[3, 2, thread.tcb, 64]);
    system.invoke_ok(outer, CNodeMove, &[CNODE], &[2, 2, inner, 64]);
    system.delete(outer);
    let others = system
        .kernel
        .threads()
        .filter(|thread| thread.priority == 10);
    assert_eq!(
        others.map(|thread| thread.state).collect::<Vec<_>>(),
        [ThreadState::Restart]
    );
    system.revoke(memory);
    assert_eq!(system.kernel.threads().count(), 1);
}

#[test]
fn an_unknown_invocation_is_refused() {
    let mut system = System::new();
    let buffer = system.layout.ipc_buffer;
    for (cptr, error) in [(0, 2), (CNODE, 3), (TCB, 3), (VSPACE, 3), (DOMAIN, 3)] {
        system.put(buffer, 0, &[], &[]);
        system.syscall(CALL, cptr);
        assert_eq!(system.message(buffer).1.label(), error, "{cptr}");
    }
    assert!(Invocation::ALL.len() > 50);
}

// SPDX-License-Identifier: BSD-2-Clause

//! Comparison of the API with C's functions on words and messages.

#![no_std]

mod kinds;

use libsel4::libsel4_sys as sys;
use libsel4::message::{self, Plain};
use libsel4::{
    AllocationError, Allocator, BootInfo, Cap, CapRights, EmptySlots, Endpoint, Error, Guard,
    LookupFailure, MessageInfo, Priority, Retype, Tcb, Untyped,
};

/// Words with one bit each, none, all and some.
fn patterns(bits: usize) -> impl Iterator<Item = usize> + Clone {
    let all = usize::MAX >> (usize::BITS as usize - bits);
    let single = (0..bits).map(|bit| 1 << bit);
    single.chain([0, all, all / 3, all / 5])
}

/// Returns whether message infos are the same word in C, field by field, with every bit of a field.
#[unsafe(no_mangle)]
pub extern "C" fn checks_message_info() -> bool {
    // What other fields leave of a word.
    let label_bits = usize::BITS as usize
        - sys::seL4_MsgLengthBits
        - sys::seL4_MsgExtraCapBits
        - sys::seL4_MsgMaxExtraCaps;
    patterns(label_bits).all(|label| {
        (0..8).all(|unwrapped| {
            (0..4).all(|extra| (0..128).all(|length| same_info(label, unwrapped, extra, length)))
        })
    })
}

fn same_info(label: usize, unwrapped: usize, extra: usize, length: usize) -> bool {
    let ours = MessageInfo::new(label, unwrapped, extra, length);
    // SAFETY: it makes a word.
    let c =
        unsafe { sys::seL4_MessageInfo_new(label as _, unwrapped as _, extra as _, length as _) };
    // SAFETY: they read a word.
    let fields = unsafe {
        [
            sys::seL4_MessageInfo_get_label(c) as usize,
            sys::seL4_MessageInfo_get_capsUnwrapped(c) as usize,
            sys::seL4_MessageInfo_get_extraCaps(c) as usize,
            sys::seL4_MessageInfo_get_length(c) as usize,
        ]
    };
    let theirs = MessageInfo::from(c);
    ours == theirs
        && sys::seL4_MessageInfo_t::from(ours) == c
        && fields
            == [
                theirs.label(),
                theirs.caps_unwrapped(),
                theirs.extra_caps(),
                theirs.length(),
            ]
}

/// Returns whether all rights are the same word in C.
#[unsafe(no_mangle)]
pub extern "C" fn checks_rights() -> bool {
    (0..16_usize).all(|bits| {
        let [grant_reply, grant, read, write] = [8, 4, 2, 1].map(|bit| bits & bit != 0);
        let ours = CapRights::new(grant_reply, grant, read, write);
        // SAFETY: it makes a word.
        let c = unsafe {
            sys::seL4_CapRights_new(grant_reply.into(), grant.into(), read.into(), write.into())
        };
        sys::seL4_CapRights_t::from(ours) == c
    })
}

/// Returns whether guards are the same word in C.
#[unsafe(no_mangle)]
pub extern "C" fn checks_guards() -> bool {
    patterns(sys::seL4_GuardBits).all(|guard| {
        (0..sys::seL4_WordBits).all(|size| {
            // SAFETY: it makes a word.
            let c = unsafe { sys::seL4_CNode_CapData_new(guard as _, size as _) };
            Guard::new(guard, size).word() == c.words[0] as usize
        })
    })
}

/// Kinds of two sizes: in C, too, an enum has the size that Rust gives it.
#[derive(Clone, Copy, PartialEq)]
#[repr(C)]
pub enum Kind {
    Near = 3,
    Far = 200,
}

/// Values beside each other.
#[repr(C)]
pub struct Kinds {
    before: u8,
    kinds: [Kind; 3],
    after: u8,
}

/// Returns whether C wrote 1, three kinds and 2.
#[unsafe(no_mangle)]
pub extern "C" fn checks_enums(kinds: &Kinds, far: Kind) -> Kind {
    let right = kinds.before == 1
        && kinds.after == 2
        && kinds.kinds == [Kind::Far, Kind::Near, Kind::Far]
        && far == Kind::Far;
    if right { Kind::Far } else { Kind::Near }
}

/// A value that a constructor in another module writes before `main`.
mod started {
    use core::sync::atomic::AtomicUsize;

    pub static STARTED: AtomicUsize = AtomicUsize::new(0);

    /// Returns the number of constructors that have run.
    #[unsafe(no_mangle)]
    pub extern "C" fn checks_started() -> usize {
        STARTED.load(core::sync::atomic::Ordering::Relaxed)
    }
}

/// A module to which nothing refers.
mod constructor {
    use core::sync::atomic::Ordering;

    // Never written: `mut` puts it into a writable section, where C's constructors are.
    #[used]
    #[unsafe(link_section = ".init_array.00200")]
    static mut START: extern "C" fn() = start;

    extern "C" fn start() {
        super::started::STARTED.fetch_add(1, Ordering::Relaxed);
    }
}

/// Elements of an array that the linker makes, and that nothing refers to.
mod elements {
    #[used]
    #[unsafe(link_section = "checks_elements")]
    static FIRST: u32 = 20;
    #[used]
    #[unsafe(link_section = "checks_elements")]
    static SECOND: u32 = 22;
}

/// A value whose size is no multiple of a word's.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Mixed {
    first: u32,
    second: [u16; 3],
    third: [u8; 6],
}

// SAFETY: 16 bytes in order of falling alignment, none of them padding, all of any value.
unsafe impl Plain for Mixed {}

const _: () = assert!(size_of::<Mixed>() == 4 + 6 + 6);

/// A value to send.
#[unsafe(no_mangle)]
pub extern "C" fn checks_mixed() -> Mixed {
    Mixed {
        first: 0x0102_0304,
        second: [0x0506, 0x0708, 0x090a],
        third: *b"abcdef",
    }
}

/// Puts it into the message registers.
#[unsafe(no_mangle)]
pub extern "C" fn checks_put(mixed: &Mixed) -> usize {
    message::put(0, mixed).word()
}

/// Takes it from a message of this length, if it is there.
#[unsafe(no_mangle)]
pub extern "C" fn checks_take(length: usize, mixed: &mut Mixed) -> bool {
    let taken = message::take(MessageInfo::new(0, 0, 0, length));
    taken.inspect(|taken| *mixed = *taken).is_some()
}

/// Writes all registers there are, and tries more.
#[unsafe(no_mangle)]
pub extern "C" fn checks_write() {
    let words: [usize; message::REGISTERS + 5] = core::array::from_fn(|index| index * 3 + 1);
    message::write(0, &words);
}

/// Returns whether an allocator with one small untyped fills it to the last byte, returns an error when
/// nothing is left, and has all of it again after a reset.
///
/// # Safety
///
/// `info` is the root server's BootInfo, of which nobody else uses the empty slots.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn checks_allocate(info: *const sys::seL4_BootInfo) -> bool {
    // SAFETY: `info` is the kernel's BootInfo, which nothing writes to or unmaps.
    let info = unsafe { BootInfo::from_ptr(info) };
    // SAFETY: as above.
    let slots = unsafe { info.empty_slots() };
    allocate(&info, slots).is_ok_and(|right| right)
}

fn allocate(info: &BootInfo, mut slots: EmptySlots) -> Result<bool, AllocationError> {
    let ours = slots.split_off(40).ok_or(AllocationError::Slots)?;
    let mut all = Allocator::with(info.untypeds().filter(|untyped| !untyped.is_device), slots);
    let untyped = all.make_sized::<Untyped>(14)?;
    let description = libsel4::UntypedDesc {
        cap: untyped,
        paddr: 0,
        size_bits: 14,
        is_device: false,
    };
    let mut some = Allocator::with([description].into_iter(), ours);
    let size_bits = <Tcb as libsel4::FixedSize>::SIZE_BITS;
    let mut right = true;
    for _ in 0..2 {
        for _ in 0..(1 << 14) >> size_bits {
            some.make::<Tcb>()?;
        }
        right &= some.make::<Tcb>() == Err(AllocationError::Memory { size_bits });
        // SAFETY: none of the threads runs, and no capability to one is used again.
        unsafe { some.reset()? };
    }
    // Somebody else makes something of it, which the allocator does not know.
    untyped.untyped_retype::<Untyped>(13, all.slot()?)?;
    right &= some.make_sized::<Untyped>(14) == Err(AllocationError::Memory { size_bits: 14 });
    right &= some.make::<Tcb>().is_ok();
    Ok(right)
}

/// Makes invalid calls with C's functions and with the API, and compares the errors and their
/// details. Returns the number of refusals that agree, 0 if one differs or a call succeeds.
///
/// # Safety
///
/// `info` is the root server's BootInfo.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn checks_refusals(info: *const sys::seL4_BootInfo) -> usize {
    // SAFETY: `info` is the kernel's BootInfo, which nothing writes to or unmaps.
    let info = unsafe { BootInfo::from_ptr(info) };
    let untyped = info.untypeds().find(|untyped| !untyped.is_device);
    let (Some(untyped), Some(empty)) = (untyped, info.empty().next()) else {
        return 0;
    };
    refusals(&info, untyped.cap, empty.index(), &mut |_| ()).unwrap_or(0)
}

/// Makes the calls of `checks_refusals` with any untyped and any empty slot. Passes each refusal to `see`.
pub fn refusals(
    info: &BootInfo,
    untyped: Cap<Untyped>,
    empty: usize,
    see: &mut dyn FnMut(Error),
) -> Option<usize> {
    Some(
        retypes::<Tcb>(info, untyped, see)?
            + retypes::<Untyped>(info, untyped, see)?
            + retypes::<libsel4::CNode>(info, untyped, see)?
            + copies(info, empty, see)?
            + priorities(info, see)?,
    )
}

/// Into slots that are taken or not there, of sizes that are too small, too large or impossible.
fn retypes<T: Retype>(
    info: &BootInfo,
    untyped: Cap<Untyped>,
    see: &mut dyn FnMut(Error),
) -> Option<usize> {
    let root = info.cnode();
    let mut count = 0;
    for size_bits in [0, 3, 12, 40, 200] {
        for (index, depth) in [(0, 0), (1, 64), (usize::MAX, 8)] {
            for offset in [1, usize::MAX] {
                for objects in [0, 1, usize::MAX] {
                    let node = root.slot(index, depth);
                    // SAFETY: the kernel makes nothing, as there is no such slot or it is in use.
                    let ours =
                        unsafe { untyped.untyped_retype_at::<T>(size_bits, node, offset, objects) };
                    // SAFETY: the kernel makes nothing, as the API has just seen.
                    let c = unsafe {
                        let depth = depth.into();
                        sys::seL4_Untyped_Retype(
                            untyped.word(),
                            T::TYPE,
                            size_bits,
                            root.word(),
                            index,
                            depth,
                            offset,
                            objects,
                        )
                    };
                    see(agree(ours, c)?);
                    count += 1;
                }
            }
        }
    }
    Some(count)
}

/// Into a slot that is taken or not there, from one that is empty or not there.
fn copies(info: &BootInfo, empty: usize, see: &mut dyn FnMut(Error)) -> Option<usize> {
    let root = info.cnode();
    let mut count = 0;
    for (to, to_depth) in [(1, 64), (1, 32), (1, 5), (usize::MAX, 32), (0, 0)] {
        for (from, from_depth) in [(1, 64), (1, 32), (empty, 32), (empty, 64), (1, 7), (1, 0)] {
            let rights = CapRights::ALL;
            let from_slot = root.slot(from, from_depth);
            // SAFETY: the kernel fills nothing, as there is no such slot or it is in use.
            let ours = unsafe { root.slot(to, to_depth).cnode_copy(from_slot, rights) };
            let root = root.word();
            // SAFETY: the kernel fills nothing, as the API has just seen.
            let c = unsafe {
                sys::seL4_CNode_Copy(root, to, to_depth, root, from, from_depth, rights.into())
            };
            see(agree(ours, c)?);
            count += 1;
        }
    }
    Some(count)
}

/// Higher than any.
fn priorities(info: &BootInfo, see: &mut dyn FnMut(Error)) -> Option<usize> {
    let tcb = info.tcb();
    let priorities = [sys::seL4_MaxPrio + 1, usize::MAX / 2, usize::MAX];
    for priority in priorities {
        let ours = tcb.tcb_set_priority(tcb, Priority::new(priority));
        // SAFETY: it touches no memory.
        let c = unsafe { sys::seL4_TCB_SetPriority(tcb.word(), tcb.word(), priority) };
        see(agree(ours, c)?);
    }
    Some(priorities.len())
}

/// Returns the error if both agree. C's details are still in the message registers.
fn agree(ours: libsel4::Result<()>, c: sys::seL4_Error) -> Option<Error> {
    let [first, second, third, fourth, fifth] = [
        message::get_mr::<0>(),
        message::get_mr::<1>(),
        message::get_mr::<2>(),
        message::get_mr::<3>(),
        message::get_mr::<4>(),
    ];
    let error = ours.err()?;
    let same = match error {
        Error::InvalidArgument { argument } | Error::InvalidCapability { argument } => {
            argument == first
        }
        Error::RangeError { min, max } => (min, max) == (first, second),
        Error::NotEnoughMemory { bytes_left } => bytes_left == first,
        Error::FailedLookup { source, failure } => {
            source == (first == 1)
                && match failure {
                    LookupFailure::InvalidRoot => second == sys::seL4_InvalidRoot,
                    LookupFailure::MissingCapability { bits_left } => {
                        (second, third) == (sys::seL4_MissingCapability, bits_left)
                    }
                    LookupFailure::DepthMismatch {
                        bits_left,
                        bits_found,
                    } => {
                        (second, third, fourth) == (sys::seL4_DepthMismatch, bits_left, bits_found)
                    }
                    LookupFailure::GuardMismatch {
                        bits_left,
                        guard_found,
                        bits_found,
                    } => {
                        (second, third, fourth, fifth)
                            == (sys::seL4_GuardMismatch, bits_left, guard_found, bits_found)
                    }
                    LookupFailure::Unknown(_) => false,
                }
        }
        Error::Unknown(_) => false,
        _ => true,
    };
    (same && error.code() == c).then_some(error)
}

/// A register that travels in memory on every architecture.
const REGISTER: usize = 7;

/// Sets a register, calls, and reads the register: what is returned must be what came.
///
/// # Safety
///
/// `endpoint` is a capability to an endpoint.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn checks_reread(endpoint: usize) -> usize {
    // SAFETY: `endpoint` is a capability to an endpoint, which stays there.
    let endpoint: Cap<Endpoint> = unsafe { Cap::from_word(endpoint) };
    message::set_mr::<REGISTER>(0x1234);
    endpoint.call(MessageInfo::new(0, 0, 0, REGISTER + 1));
    message::get_mr::<REGISTER>()
}

/// Counterpart of `checks_reread` that does not read again, for comparison.
///
/// # Safety
///
/// `endpoint` is a capability to an endpoint.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn checks_forget(endpoint: usize) -> usize {
    // SAFETY: `endpoint` is a capability to an endpoint, which stays there.
    let endpoint: Cap<Endpoint> = unsafe { Cap::from_word(endpoint) };
    message::set_mr::<REGISTER>(0x1234);
    endpoint.call(MessageInfo::new(0, 0, 0, REGISTER + 1));
    0x1234
}

// SPDX-License-Identifier: BSD-2-Clause

//! Properties of libsel4's values that hold for all words, tested with many: the words at the edges of fields, and
//! random ones. C's functions give the expected results. No property enters the kernel, so they run on the host as
//! well as in the root server.

#![no_std]

mod boot_info;

use core::ffi::c_int;

pub use boot_info::{boot_info, extra_boot_info};
pub use fastrand::Rng;
use libsel4::libsel4_sys as sys;
use libsel4::message::{self, Plain};
use libsel4::{CapRights, Fault, Guard, LookupFailure, MessageInfo};

// C's field has two names.
#[cfg(target_arch = "riscv64")]
use sys::seL4_Fault_UserException_get_SP as user_exception_sp;
#[cfg(not(target_arch = "riscv64"))]
use sys::seL4_Fault_UserException_get_Stack as user_exception_sp;

/// Number of rounds for each property; fewer under Miri, which is slow.
const ROUNDS: usize = if cfg!(miri) { 200 } else { 5_000 };

/// Returns a generator with a fixed seed.
pub fn random() -> Rng {
    Rng::with_seed(0x5e14)
}

/// A word of at most `bits` bits: one of them, all up to one, all from one on, or random ones.
fn word(random: &mut Rng, bits: u32) -> usize {
    let all = usize::MAX >> (usize::BITS - bits);
    let shift = random.u32(..bits);
    let word = match random.u8(..6) {
        0 => 0,
        1 => usize::MAX,
        2 => 1 << shift,
        3 => (1 << shift) - 1,
        4 => usize::MAX << shift,
        _ => random.usize(..),
    };
    word & all
}

fn any(random: &mut Rng) -> usize {
    word(random, usize::BITS)
}

/// Making a message info and taking it apart again does what C does.
pub fn message_infos(random: &mut Rng) {
    let label_bits = usize::BITS
        - (sys::seL4_MsgLengthBits + sys::seL4_MsgExtraCapBits + sys::seL4_MsgMaxExtraCaps) as u32;
    for _ in 0..ROUNDS {
        let (label, unwrapped) = (word(random, label_bits), word(random, 3));
        let (extra, length) = (word(random, 2), word(random, 7));
        let other = word(random, 2);
        // SAFETY: they compute words.
        let (made, changed) = unsafe {
            let made =
                sys::seL4_MessageInfo_new(label as _, unwrapped as _, extra as _, length as _);
            (made, sys::seL4_MessageInfo_set_extraCaps(made, other as _))
        };
        let ours = MessageInfo::new(label, unwrapped, extra, length);
        assert_eq!(ours, MessageInfo::from(made));
        assert_eq!(ours.with_extra_caps(other), MessageInfo::from(changed));

        let info = MessageInfo::from(sys::seL4_MessageInfo_t {
            words: [any(random) as _],
        });
        let c = sys::seL4_MessageInfo_t::from(info);
        // SAFETY: they read a word.
        let fields = unsafe {
            [
                sys::seL4_MessageInfo_get_label(c),
                sys::seL4_MessageInfo_get_capsUnwrapped(c),
                sys::seL4_MessageInfo_get_extraCaps(c),
                sys::seL4_MessageInfo_get_length(c),
            ]
        };
        let ours = [
            info.label(),
            info.caps_unwrapped(),
            info.extra_caps(),
            info.length(),
        ];
        assert_eq!(ours, fields.map(|field| field as usize), "{info:?}");
    }
}

/// Rights are the same word as in C, and those of two are those of one or the other.
pub fn rights(random: &mut Rng) {
    for _ in 0..ROUNDS {
        let [all, other] = [(); 2].map(|()| [(); 4].map(|()| random.bool()));
        let [ours, second] = [all, other].map(|[a, b, c, d]| CapRights::new(a, b, c, d));
        let [a, b, c, d] = all.map(Into::into);
        // SAFETY: they compute words.
        let (made, fields) = unsafe {
            let made = sys::seL4_CapRights_new(a, b, c, d);
            let fields = [
                sys::seL4_CapRights_get_capAllowGrantReply(made),
                sys::seL4_CapRights_get_capAllowGrant(made),
                sys::seL4_CapRights_get_capAllowRead(made),
                sys::seL4_CapRights_get_capAllowWrite(made),
            ];
            (made, fields)
        };
        assert_eq!(sys::seL4_CapRights_t::from(ours), made);
        assert_eq!(fields.map(|field| field != 0), all);
        let [a, b, c, d] = core::array::from_fn(|index| all[index] || other[index]);
        assert_eq!(ours.union(second), CapRights::new(a, b, c, d));
    }
}

/// Guards are the same word as in C.
pub fn guards(random: &mut Rng) {
    for _ in 0..ROUNDS {
        let value = word(random, sys::seL4_GuardBits as u32);
        let bits = random.usize(..sys::seL4_WordBits);
        // SAFETY: they compute words.
        let (made, fields) = unsafe {
            let made = sys::seL4_CNode_CapData_new(value as _, bits as _);
            let size = sys::seL4_CNode_CapData_get_guardSize(made);
            (made, [sys::seL4_CNode_CapData_get_guard(made), size])
        };
        assert_eq!(Guard::new(value, bits).word(), made.words[0] as usize);
        assert_eq!(fields.map(|field| field as usize), [value, bits]);
    }
}

/// Words written to the message registers are those that C reads, and vice versa; the length is their number.
pub fn registers(random: &mut Rng) {
    let mut words = [0; message::REGISTERS + 3];
    for _ in 0..ROUNDS / 100 {
        words.fill_with(|| any(random));
        let length = random.usize(..=words.len());
        let label = word(random, 20);
        let info = message::write(label, &words[..length]);
        let length = length.min(message::REGISTERS);
        assert_eq!((info.label(), info.length()), (label, length));
        for (index, word) in words[..length].iter().enumerate() {
            // SAFETY: there is such a register.
            assert_eq!(unsafe { sys::seL4_GetMR(index as c_int) }, *word);
            // SAFETY: as above.
            unsafe { sys::seL4_SetMR(index as c_int, !*word) };
        }
        let mut read = [0; message::REGISTERS + 3];
        assert_eq!(message::read(info, &mut read), length);
        for (index, word) in words[..length].iter().enumerate() {
            assert_eq!(read[index], !*word);
        }
        assert!(read[length..].iter().all(|word| *word == 0));
    }
}

/// Values of every size come out of a message as they went in, and lie there as in memory.
pub fn values(random: &mut Rng) {
    fn same<const N: usize>(random: &mut Rng) {
        let value: [u8; N] = core::array::from_fn(|_| random.u8(..));
        let info = message::put(any(random), &value);
        assert_eq!(info.length(), N.div_ceil(size_of::<usize>()));
        for (index, bytes) in value.chunks(size_of::<usize>()).enumerate() {
            // SAFETY: there is such a register.
            let word = unsafe { sys::seL4_GetMR(index as c_int) }.to_ne_bytes();
            assert_eq!(&word[..bytes.len()], bytes);
            assert!(word[bytes.len()..].iter().all(|byte| *byte == 0));
        }
        assert_eq!(message::take(info), Some(value));
        let shorter = MessageInfo::new(0, 0, 0, info.length().saturating_sub(1));
        assert_eq!(message::take::<[u8; N]>(shorter).is_none(), N > 0);
    }
    fn number<T: Plain + PartialEq + core::fmt::Debug>(value: T) {
        assert_eq!(message::take(message::put(0, &value)), Some(value));
    }
    for _ in 0..ROUNDS / 100 {
        same::<0>(random);
        same::<1>(random);
        same::<3>(random);
        same::<8>(random);
        same::<9>(random);
        same::<33>(random);
        same::<400>(random);
        number(random.u16(..));
        number(random.i32(..));
        number(random.u64(..));
        number(random.i128(..));
        number([random.f64(), -random.f64()]);
    }
}

/// Fault messages say in Rust what they say in C.
pub fn faults(random: &mut Rng) {
    let labels = [
        sys::seL4_Fault_CapFault,
        sys::seL4_Fault_UnknownSyscall,
        sys::seL4_Fault_UserException,
        sys::seL4_Fault_VMFault,
    ];
    for _ in 0..ROUNDS {
        for index in 0..32 {
            // C keeps a truth value and a fault status of these, and asserts that they fit.
            let bits = match index {
                2 => 1,
                3 => 5,
                _ => usize::BITS,
            };
            let value = word(random, bits);
            // SAFETY: there is such a register.
            unsafe { sys::seL4_SetMR(index, value) };
        }
        let info = MessageInfo::new(random.choice(labels).unwrap_or_default(), 0, 0, 32);
        // SAFETY: they read registers and fields.
        unsafe {
            let c = sys::seL4_getFault(info.into());
            assert_eq!(sys::seL4_Fault_get_seL4_FaultType(c) as usize, info.label());
            match Fault::of(info) {
                Fault::Cap {
                    ip,
                    address,
                    in_receive_phase,
                    failure,
                } => {
                    assert_eq!(sys::seL4_Fault_CapFault_get_IP(c) as usize, ip);
                    assert_eq!(sys::seL4_Fault_CapFault_get_Addr(c) as usize, address);
                    assert_eq!(
                        sys::seL4_Fault_CapFault_get_InRecvPhase(c) != 0,
                        in_receive_phase
                    );
                    let kind = match failure {
                        LookupFailure::InvalidRoot => sys::seL4_InvalidRoot,
                        LookupFailure::MissingCapability { .. } => sys::seL4_MissingCapability,
                        LookupFailure::DepthMismatch { .. } => sys::seL4_DepthMismatch,
                        LookupFailure::GuardMismatch { .. } => sys::seL4_GuardMismatch,
                        LookupFailure::Unknown(kind) => kind,
                    };
                    assert_eq!(
                        sys::seL4_Fault_CapFault_get_LookupFailureType(c) as usize,
                        kind
                    );
                }
                Fault::UnknownSyscall { ip, syscall, .. } => {
                    assert_eq!(sys::seL4_Fault_UnknownSyscall_get_FaultIP(c) as usize, ip);
                    assert_eq!(
                        sys::seL4_Fault_UnknownSyscall_get_Syscall(c) as usize,
                        syscall
                    );
                }
                Fault::UserException {
                    ip,
                    sp,
                    number,
                    code,
                } => {
                    assert_eq!(sys::seL4_Fault_UserException_get_FaultIP(c) as usize, ip);
                    assert_eq!(user_exception_sp(c) as usize, sp);
                    assert_eq!(sys::seL4_Fault_UserException_get_Number(c) as usize, number);
                    assert_eq!(sys::seL4_Fault_UserException_get_Code(c) as usize, code);
                }
                Fault::Vm {
                    ip,
                    address,
                    instruction,
                    fsr,
                } => {
                    assert_eq!(sys::seL4_Fault_VMFault_get_IP(c) as usize, ip);
                    assert_eq!(sys::seL4_Fault_VMFault_get_Addr(c) as usize, address);
                    assert_eq!(
                        sys::seL4_Fault_VMFault_get_PrefetchFault(c) != 0,
                        instruction
                    );
                    assert_eq!(sys::seL4_Fault_VMFault_get_FSR(c) as usize, fsr);
                }
                other => panic!("{other:?} of {info:?}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a property on the host, with an IPC buffer for its thread.
    fn hold(property: fn(&mut Rng)) {
        let mut buffer = sys::seL4_IPCBuffer::default();
        // SAFETY: it is there as long as the property runs, in which no system call is made.
        unsafe { message::set_ipc_buffer(&raw mut buffer) };
        property(&mut random());
    }

    #[test]
    fn l3_message_infos_are_as_in_c() {
        hold(message_infos);
    }

    #[test]
    fn l3_rights_are_as_in_c() {
        hold(rights);
    }

    #[test]
    fn l3_guards_are_as_in_c() {
        hold(guards);
    }

    #[test]
    fn l3_registers_are_as_in_c() {
        hold(registers);
    }

    #[test]
    fn l3_values_are_as_in_memory() {
        hold(values);
    }

    #[test]
    fn l3_faults_are_as_in_c() {
        hold(faults);
    }

    #[test]
    fn l3_boot_info_is_read_as_written() {
        boot_info(&mut random());
        extra_boot_info(&mut random());
    }
}

// SPDX-License-Identifier: GPL-2.0-only

//! Threads that make arbitrary system calls, on themselves, each other and everything they booted
//! with.

use super::*;
use sel4_hosted_kernel::{Access, Config, Fault, Machine, MessageInfo, Register};

/// Source of the choices that threads make.
pub trait Choices {
    /// Returns any number.
    fn next(&mut self) -> u64;

    /// Returns a number below `end`.
    fn below(&mut self, end: u64) -> usize {
        (self.next() % end) as usize
    }

    /// Returns whether no choices are left.
    fn is_over(&self) -> bool {
        false
    }

    /// Returns a number that looks like an argument of a system call.
    fn word(&mut self) -> usize {
        match self.below(16) {
            0..=5 => self.below(70),
            6..=9 => 8000 + self.below(60),
            10 => 64,
            11 => self.below(1 << 40) & !0xfff,
            12 => 0x4000_0000 << self.below(17),
            13 => usize::MAX - self.below(9000),
            14 => 1 << self.below(64),
            _ => self.next() as usize,
        }
    }
}

/// Boots a system, in which the current thread enters the kernel in an arbitrary way, at most
/// `steps` times and while choices are left. Returns the number of kernel entries.
///
/// # Panics
///
/// If an invariant does not hold.
pub fn play<C: Choices>(mut random: C, seed: u64, mcs: bool, steps: usize) -> u64 {
    let config = Config {
        mcs,
        domains: 2,
        seed: Some(seed),
        hostile: Some(seed),
        ..Config::default()
    };
    let mut system = System::with(&config);
    let untypeds: Vec<usize> = system.untypeds().iter().map(|untyped| untyped.0).collect();
    for _ in 0..steps {
        if random.is_over() {
            break;
        }
        system.kernel.machine_mut().time += random.below(4000) as u64;
        let Some(current) = system.kernel.current() else {
            if system.kernel.is_halted() || random.below(8) == 0 {
                break;
            }
            system.kernel.interrupt(random.below(128));
            continue;
        };
        // The initial thread's IPC buffer is that of most threads.
        let (paddr, ..) = system
            .kernel
            .machine()
            .mapped
            .get(&(system.layout.vspace, system.layout.ipc_buffer))
            .copied()
            .unwrap_or((
                0x100_0000,
                12,
                Access {
                    write: true,
                    execute: true,
                },
            ));
        for word in [5, 6, 7, 8, 9, 122, 123, 124, 125, 126, 127] {
            let value = match word {
                // A missing capability is a fault, which stops the thread.
                122..=124 if random.below(50) != 0 => random.word() % 8192,
                _ => random.word(),
            };
            system
                .kernel
                .machine_mut()
                .write_word(paddr + word * 8, value);
        }
        let context = system.kernel.context_mut(current);
        for register in [
            Register::R12,
            Register::R13,
            Register::R10,
            Register::R8,
            Register::R9,
            Register::R15,
        ] {
            context[register] = random.word();
        }
        context[Register::Rdi] = match random.below(4) {
            0 => untypeds[random.below(untypeds.len() as u64)],
            // The initial TCB and CNode are rare, since deleting them ends the system.
            1 if random.below(8) == 0 => random.below(16),
            1 => 3 + random.below(13),
            2 if random.below(20) == 0 => random.word(),
            _ => 8000 + random.below(60),
        };
        if random.below(3) == 0 {
            // A plausible retype, into slots that are used above.
            context[Register::Rdi] = untypeds[random.below(untypeds.len() as u64)];
            (context[Register::R10], context[Register::R8]) = (random.below(14), random.below(24));
            (context[Register::R9], context[Register::R15]) = (0, 0);
            let buffer = [
                (5, 8000 + random.below(60)),
                (6, 1 + random.below(3)),
                (122, CNODE),
            ];
            context[Register::Rsi] = MessageInfo::new(1, 0, 1, 6).0;
            for (word, value) in buffer {
                system
                    .kernel
                    .machine_mut()
                    .write_word(paddr + word * 8, value);
            }
            system.kernel.syscall(CALL);
        } else {
            context[Register::Rsi] =
                MessageInfo::new(random.below(62), 0, random.below(4), random.below(30)).0;
            match random.below(400) {
                0 => system.kernel.fault(Fault::Vm {
                    address: random.word(),
                    status: 6,
                    instruction: false,
                }),
                1 => system.kernel.fault(Fault::UserException {
                    number: 6,
                    code: random.word(),
                }),
                2 => system.kernel.interrupt(random.below(128)),
                3..=6 => system.kernel.syscall(-(random.below(40) as isize)),
                7..=60 => system.kernel.syscall(if mcs { -6 } else { NB_SEND }),
                _ => system.kernel.syscall(CALL),
            }
        }
        if let Err(wrong) = system.kernel.check() {
            panic!("seed {seed}: {wrong}");
        }
    }
    system.kernel.entries()
}

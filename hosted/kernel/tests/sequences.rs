// SPDX-License-Identifier: GPL-2.0-only

//! Random sequences of system calls: no invariant of the model breaks, and it answers as the kernel
//! does.

// The registers and numbers here are x86_64's.
#![cfg(target_arch = "x86_64")]

mod common;

use core::fmt::Write;

use common::steps::{self, Generator, Step};
use common::*;
use sel4_hosted_kernel::{Config, Fault, MessageInfo, Register, ThreadId};

/// Address of the instructions that the threads run, in the model's root server.
const CODE: usize = IMAGE + 0x100;

/// Root server that takes steps, and the threads that it creates.
struct Player {
    system: System,
    root: ThreadId,
    base: usize,
}

impl Player {
    fn new(mcs: bool) -> Self {
        let config = Config {
            mcs,
            entries_per_tick: 0,
            ..Config::default()
        };
        let mut system = System::with(&config);
        let (root, memory) = (system.current(), system.memory());
        // The root server on the kernel uses the same slot.
        let base = 8000;
        system.invoke_ok(
            memory,
            sel4_hosted_kernel::Invocation::UntypedRetype,
            &[CNODE],
            &[0, 22, 0, 0, base, 1],
        );
        system.invoke_ok(
            TCB,
            sel4_hosted_kernel::Invocation::TCBSetPriority,
            &[TCB],
            &[100],
        );
        system.checks = false;
        Player { system, root, base }
    }

    fn value(&self, word: u64) -> usize {
        let low = (word & 0xffff) as usize;
        match word >> 48 << 48 {
            steps::SLOT => self.base + low,
            steps::CODE => CODE + low,
            _ => word as usize,
        }
    }

    /// Makes a system call of the root server, and runs other threads until it is the current one
    /// again.
    fn call(&mut self, number: isize, cptr: usize) {
        self.system.syscall(number, cptr);
        while self.system.current() != self.root {
            let thread = self.system.current();
            let kernel = &mut self.system.kernel;
            let mapped = kernel.vspace(thread) == Some(self.system.layout.vspace);
            let context = kernel.context_mut(thread);
            let ip = context.next;
            context[Register::Rip] = ip;
            if ip == CODE && mapped {
                context.next = CODE + 2;
                let number = context[Register::Rdx].cast_signed();
                kernel.syscall(number);
            } else if ip == CODE + 2 && mapped {
                kernel.fault(Fault::UserException { number: 6, code: 0 });
            } else {
                kernel.fault(Fault::Vm {
                    address: ip,
                    // Without a no-execute bit, a fetch looks like a read.
                    status: 4,
                    instruction: false,
                });
            }
        }
    }

    /// Takes a step. Returns the line that the root server on the kernel prints.
    fn take(&mut self, step: &Step) -> String {
        let cptr = self.value(step.cptr);
        let words: Vec<usize> = step.words.iter().map(|word| self.value(*word)).collect();
        let caps: Vec<usize> = step.caps.iter().map(|cap| self.value(*cap)).collect();
        let mut line = String::from("@");
        let buffer = self.system.layout.ipc_buffer;
        match step.kind {
            steps::STORE => self.system.write(cptr, words[0]),
            steps::END => {
                let revoke = 17 + usize::from(self.system.mcs);
                let all = (1..64).map(|slot| (revoke + 1, slot));
                for (label, slot) in [(revoke, 0)].into_iter().chain(all) {
                    self.system.put(buffer, label, &[], &[self.base + slot, 64]);
                    self.call(CALL, CNODE);
                }
                line.push('e');
            }
            kind => {
                let is_send = kind == steps::NB_SEND || self.system.identify(cptr) == 4;
                self.system.put(buffer, step.label as usize, &caps, &words);
                if is_send {
                    self.call(if self.system.mcs { -6 } else { NB_SEND }, cptr);
                } else {
                    self.call(CALL, cptr);
                    let (_, info, words) = self.system.message(buffer);
                    self.print(&mut line, step, info, &words);
                }
            }
        }
        line
    }

    fn print(&self, line: &mut String, step: &Step, info: MessageInfo, words: &[usize]) {
        _ = write!(line, " {:x}", info.label());
        // The consumed time differs.
        if self.system.mcs && [steps::CONSUMED, steps::YIELD_TO].contains(&step.label) {
            return;
        }
        let reads = step.label == 2 && step.words.len() == 2;
        for (index, word) in words.iter().enumerate() {
            if !reads || ![1, 2, 5, 13].contains(&index) {
                _ = match word.wrapping_sub(CODE) {
                    offset @ 0..16 => write!(line, " c{offset:x}"),
                    _ => write!(line, " {word:x}"),
                };
            }
        }
    }
}

/// Number of steps of a sequence.
const STEPS: usize = 30;

/// Hashes of the kernel's answers to the first sequences.
const RECORD: &str = include_str!("sequences.txt");
/// Hashes of the answers with mixed-criticality scheduling.
const RECORD_MCS: &str = include_str!("sequences-mcs.txt");

/// Returns the FNV-1a hash of the lines of a sequence.
fn hash<'a>(lines: impl Iterator<Item = &'a str>) -> u64 {
    let bytes = lines.flat_map(|line| line.bytes().chain(*b"\n"));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn nothing_breaks(mcs: bool) {
    let mut player = Player::new(mcs);
    for seed in 0..20 {
        for step in Generator::sequence(1_000_000 + seed, 2 * STEPS, mcs) {
            player.take(&step);
            player.system.kernel.check().unwrap();
        }
    }
    assert!(player.system.kernel.entries() > 2000);
}

#[test]
fn no_sequence_breaks_the_model() {
    nothing_breaks(false);
}

#[test]
fn no_sequence_breaks_the_model_with_scheduling_contexts() {
    nothing_breaks(true);
}

fn agrees(record: &str, mcs: bool) {
    let mut player = Player::new(mcs);
    // An unoptimised build is slow.
    let most = if cfg!(debug_assertions) { 400 } else { 2500 };
    let recorded = record.lines().filter(|line| !line.starts_with('#'));
    let recorded = recorded.take(most);
    let mut count = 0;
    for (seed, theirs) in (0..).zip(recorded) {
        let steps = Generator::sequence(seed, STEPS, mcs);
        let lines: Vec<String> = steps.iter().map(|step| player.take(step)).collect();
        let ours = hash(lines.iter().map(String::as_str));
        assert_eq!(format!("{ours:016x}"), theirs, "sequence {seed}");
        count += 1;
    }
    assert_eq!(count, most);
}

#[test]
fn the_model_answers_what_the_kernel_answered() {
    agrees(RECORD, false);
}

#[test]
fn the_model_answers_what_the_kernel_with_scheduling_contexts_answered() {
    agrees(RECORD_MCS, true);
}

/// Compares the model with the kernel, line by line. `SEQUENCES_CONSOLE` is a file with the console
/// of the root server tests/hosted/sequences. Writes the hashes to the file `SEQUENCES_RECORD`.
#[test]
fn the_kernel_answers_what_the_model_answers() {
    let Ok(file) = std::env::var("SEQUENCES_CONSOLE") else {
        return;
    };
    let mcs = std::env::var("SEQUENCES_MCS").is_ok();
    let console = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
    let theirs = console.lines().map(str::trim_end);
    let theirs: Vec<&str> = theirs.filter(|line| line.starts_with('@')).collect();
    // REUSE-IgnoreStart
    let mut record = String::from("# SPDX-License-Identifier: GPL-2.0-only\n");
    // REUSE-IgnoreEnd
    let mut player = Player::new(mcs);
    let mut rest = &theirs[..];
    for seed in 0.. {
        let steps = Generator::sequence(seed, STEPS, mcs);
        let Some((lines, others)) = rest.split_at_checked(steps.len()) else {
            break;
        };
        rest = others;
        for (number, (step, line)) in steps.iter().zip(lines).enumerate() {
            let ours = player.take(step);
            if ours != *line {
                for (step, line) in steps
                    .iter()
                    .zip(lines)
                    .take(number)
                    .skip(number.saturating_sub(20))
                {
                    eprintln!("{line} <- {step:x?}");
                }
            }
            assert_eq!(ours, *line, "sequence {seed}, step {number}: {step:x?}");
        }
        _ = writeln!(record, "{:016x}", hash(lines.iter().copied()));
    }
    assert!(
        rest.is_empty() && theirs.len() > 1000,
        "the console is incomplete"
    );
    if let Ok(file) = std::env::var("SEQUENCES_RECORD") {
        std::fs::write(file, record).unwrap();
    }
}

// SPDX-License-Identifier: GPL-2.0-only

//! A kernel on a machine of maps, and system calls of its threads, one by one.

#![allow(dead_code)] // Each test uses a part of it.

pub mod anything;
pub mod steps;

use std::collections::BTreeMap;

use sel4_hosted_kernel::{
    Access, Config, Event, Image, Invocation, Kernel, Labels, Layout, Machine, MessageInfo, Region,
    Register, ThreadId, VSpaceId,
};

pub const TCB: usize = 1;
pub const CNODE: usize = 2;
pub const VSPACE: usize = 3;
pub const IRQ_CONTROL: usize = 4;
pub const ASID_CONTROL: usize = 5;
pub const ASID_POOL: usize = 6;
pub const IO_PORTS: usize = 7;
pub const DOMAIN: usize = 11;

pub const UNTYPED_OBJECT: usize = 0;
pub const TCB_OBJECT: usize = 1;
pub const ENDPOINT_OBJECT: usize = 2;
pub const NOTIFICATION_OBJECT: usize = 3;
pub const CNODE_OBJECT: usize = 4;
pub const PDPT_OBJECT: usize = 5;
pub const PML4_OBJECT: usize = 6;
pub const HUGE_PAGE_OBJECT: usize = 7;
pub const PAGE_OBJECT: usize = 8;
pub const LARGE_PAGE_OBJECT: usize = 9;
pub const PAGE_TABLE_OBJECT: usize = 10;
pub const PAGE_DIRECTORY_OBJECT: usize = 11;

pub const CALL: isize = -1;
pub const REPLY_RECV: isize = -2;
pub const SEND: isize = -3;
pub const NB_SEND: isize = -4;
pub const RECV: isize = -5;
pub const REPLY: isize = -6;
pub const YIELD: isize = -7;
pub const NB_RECV: isize = -8;

pub const MESSAGE: [Register; 4] = [Register::R10, Register::R8, Register::R9, Register::R15];

/// Address of the initial thread's image.
pub const IMAGE: usize = 0x40_0000;

/// Machine with memory, mappings and a console.
#[derive(Default)]
pub struct Memory {
    pub words: BTreeMap<usize, usize>,
    pub mapped: BTreeMap<(VSpaceId, usize), (usize, u8, Access)>,
    pub console: String,
    pub time: u64,
    /// Number of the preemption points after which an interrupt is pending. 0: never.
    pub pending_after: u32,
    points: u32,
    /// Events of the kernel, if the test wants them.
    pub events: Option<Vec<Event>>,
}

impl Machine for Memory {
    fn read_word(&self, paddr: usize) -> usize {
        assert_eq!(paddr % 8, 0);
        self.words.get(&paddr).copied().unwrap_or(0)
    }

    fn write_word(&mut self, paddr: usize, value: usize) {
        assert_eq!(paddr % 8, 0);
        self.words.insert(paddr, value);
    }

    fn zero(&mut self, paddr: usize, bytes: usize) {
        while let Some((&at, _)) = self.words.range(paddr..paddr + bytes).next() {
            self.words.remove(&at);
        }
    }

    fn map(&mut self, vspace: VSpaceId, vaddr: usize, paddr: usize, size_bits: u8, access: Access) {
        self.mapped
            .insert((vspace, vaddr), (paddr, size_bits, access));
    }

    fn unmap(&mut self, vspace: VSpaceId, vaddr: usize, _size_bits: u8) {
        assert!(
            self.mapped.remove(&(vspace, vaddr)).is_some(),
            "{vaddr:#x} is not mapped"
        );
    }

    fn put_char(&mut self, byte: u8) {
        self.console.push(byte.into());
    }

    fn now(&self) -> u64 {
        self.time
    }

    fn interrupt_pending(&mut self) -> bool {
        self.points += 1;
        self.points
            .checked_rem(self.pending_after)
            .is_some_and(|rest| rest == 0)
    }

    fn event(&mut self, event: Event) {
        if let Some(events) = &mut self.events {
            events.push(event);
        }
    }
}

/// Booted system.
pub struct System {
    pub kernel: Kernel<Memory>,
    pub layout: Layout,
    /// First empty slot of the root CNode, which the next object gets.
    pub next: usize,
    /// Set to check all invariants after each system call.
    pub checks: bool,
    /// Set for mixed-criticality scheduling.
    pub mcs: bool,
}

/// Reply to an invocation: number of the error, and words.
pub type Reply = (usize, Vec<usize>);

impl System {
    pub fn new() -> Self {
        System::with(&Config::default())
    }

    pub fn with(config: &Config) -> Self {
        let labels = match config.mcs {
            true => Labels::mcs(),
            false => Labels::default(),
        };
        System::with_labels(config, labels)
    }

    pub fn with_labels(config: &Config, labels: Labels) -> Self {
        let image = Image {
            vaddrs: Region {
                start: IMAGE,
                end: IMAGE + 0x4000,
            },
            ipc_buffer: IMAGE + 0x4000,
            entry: IMAGE,
            extra: Vec::new(),
        };
        // Miri is slow for each slot.
        let small = Config {
            root_cnode_bits: 10,
            ..config.clone()
        };
        let config = if cfg!(miri) { &small } else { config };
        let (kernel, layout) = Kernel::boot(Memory::default(), config, labels, &image).unwrap();
        let mut system = System {
            kernel,
            layout,
            next: 0,
            checks: !cfg!(miri),
            mcs: config.mcs,
        };
        system.next = system.boot_info(5);
        system
    }

    /// Returns a word of the BootInfo.
    pub fn boot_info(&self, word: usize) -> usize {
        let machine = self.kernel.machine();
        let (paddr, ..) = machine.mapped[&(self.layout.vspace, self.layout.boot_info)];
        machine.read_word(paddr + word * 8)
    }

    /// Returns the untypeds: slot, physical address, size in bits, and whether it is device memory.
    pub fn untypeds(&self) -> Vec<(usize, usize, u8, bool)> {
        let first = if self.mcs { 21 } else { 19 };
        let (start, end) = (self.boot_info(first), self.boot_info(first + 1));
        let describe = |index: usize| {
            let (paddr, kind) = (
                self.boot_info(first + 2 + 2 * index),
                self.boot_info(first + 3 + 2 * index),
            );
            (start + index, paddr, kind as u8, kind >> 8 & 1 != 0)
        };
        (0..end - start).map(describe).collect()
    }

    /// Returns the slot of the largest untyped.
    pub fn memory(&self) -> usize {
        let untypeds = self.untypeds();
        let memory = untypeds.iter().filter(|untyped| !untyped.3);
        memory.max_by_key(|untyped| untyped.2).unwrap().0
    }

    pub fn slot(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    pub fn current(&self) -> ThreadId {
        self.kernel.current().unwrap()
    }

    pub fn register(&self, register: Register) -> usize {
        self.kernel.context(self.current())[register]
    }

    /// Returns the physical address for an address in the initial thread's VSpace.
    fn paddr(&self, vaddr: usize) -> usize {
        let (paddr, ..) = self.kernel.machine().mapped[&(self.layout.vspace, vaddr & !0xfff)];
        paddr + (vaddr & 0xfff)
    }

    pub fn read(&self, vaddr: usize) -> usize {
        self.kernel.machine().read_word(self.paddr(vaddr))
    }

    pub fn write(&mut self, vaddr: usize, value: usize) {
        let paddr = self.paddr(vaddr);
        self.kernel.machine_mut().write_word(paddr, value);
    }

    /// Writes a message to the registers and the IPC buffer of the current thread.
    pub fn put(&mut self, buffer: usize, label: usize, caps: &[usize], words: &[usize]) {
        for (index, word) in words.iter().enumerate().skip(4) {
            self.write(buffer + (index + 1) * 8, *word);
        }
        for (index, cap) in caps.iter().enumerate() {
            self.write(buffer + (122 + index) * 8, *cap);
        }
        let current = self.current();
        let context = self.kernel.context_mut(current);
        for (register, word) in MESSAGE.iter().zip(words) {
            context[*register] = *word;
        }
        context[Register::Rsi] = MessageInfo::new(label, 0, caps.len(), words.len()).0;
    }

    /// Makes a system call of the current thread.
    pub fn syscall(&mut self, number: isize, cptr: usize) {
        let current = self.current();
        let context = self.kernel.context_mut(current);
        context[Register::Rdi] = cptr;
        context[Register::Rip] = context.next;
        context.next += 2;
        self.kernel.syscall(number);
        if self.checks {
            self.kernel.check().unwrap();
        }
    }

    /// Returns the message that the current thread has received: badge, info and words.
    pub fn message(&self, buffer: usize) -> (usize, MessageInfo, Vec<usize>) {
        let info = MessageInfo(self.register(Register::Rsi));
        let word = |index: usize| match MESSAGE.get(index) {
            Some(register) => self.register(*register),
            None => self.read(buffer + (index + 1) * 8),
        };
        let words = (0..info.length()).map(word).collect();
        (self.register(Register::Rdi), info, words)
    }

    /// Makes an invocation of the initial thread.
    pub fn invoke(
        &mut self,
        cptr: usize,
        invocation: Invocation,
        caps: &[usize],
        words: &[usize],
    ) -> Reply {
        let label = 1 + Invocation::ALL
            .iter()
            .position(|of| *of == invocation)
            .unwrap();
        let buffer = self.layout.ipc_buffer;
        self.put(buffer, label, caps, words);
        self.syscall(CALL, cptr);
        let (_, info, words) = self.message(buffer);
        (info.label(), words)
    }

    /// Makes an invocation of the initial thread, which must succeed.
    pub fn invoke_ok(
        &mut self,
        cptr: usize,
        invocation: Invocation,
        caps: &[usize],
        words: &[usize],
    ) -> Vec<usize> {
        let (error, words) = self.invoke(cptr, invocation, caps, words);
        assert_eq!(error, 0, "{invocation:?}: {words:?}");
        words
    }

    /// Retypes into new slots of the root CNode. Returns the first.
    pub fn retype(&mut self, untyped: usize, kind: usize, bits: usize, count: usize) -> usize {
        let first = self.next;
        self.next += count;
        let words = [kind, bits, CNODE, 64, first, count];
        // The root CNode holds a capability to itself, which resolves at full depth.
        self.invoke_ok(untyped, Invocation::UntypedRetype, &[CNODE], &words);
        first
    }

    pub fn make(&mut self, kind: usize) -> usize {
        self.retype(self.memory(), kind, 0, 1)
    }

    pub fn copy(&mut self, from: usize, rights: usize) -> usize {
        let to = self.slot();
        self.invoke_ok(
            CNODE,
            Invocation::CNodeCopy,
            &[CNODE],
            &[to, 64, from, 64, rights],
        );
        to
    }

    pub fn mint(&mut self, from: usize, badge: usize) -> usize {
        let to = self.slot();
        self.invoke_ok(
            CNODE,
            Invocation::CNodeMint,
            &[CNODE],
            &[to, 64, from, 64, 15, badge],
        );
        to
    }

    pub fn delete(&mut self, slot: usize) {
        self.invoke_ok(CNODE, Invocation::CNodeDelete, &[], &[slot, 64]);
    }

    pub fn revoke(&mut self, slot: usize) {
        self.invoke_ok(CNODE, Invocation::CNodeRevoke, &[], &[slot, 64]);
    }

    /// Returns the kernel's number of the type of the capability in a slot.
    pub fn identify(&mut self, slot: usize) -> usize {
        self.syscall(if self.mcs { -15 } else { -12 }, slot);
        self.register(Register::Rdi)
    }

    /// Creates a runnable thread in the initial thread's CSpace and VSpace, with an IPC buffer.
    pub fn thread(&mut self, priority: usize, handler: usize) -> Runner {
        let tcb = self.make(TCB_OBJECT);
        let frame = self.make(PAGE_OBJECT);
        let buffer = IMAGE + 0x1_0000 + 0x1000 * frame;
        self.invoke_ok(frame, Invocation::X86PageMap, &[VSPACE], &[buffer, 3, 0]);
        let caps = [CNODE, VSPACE, frame];
        self.invoke_ok(
            tcb,
            Invocation::TCBConfigure,
            &caps,
            &[handler, 0, 0, buffer],
        );
        self.invoke_ok(
            tcb,
            Invocation::TCBSetSchedParams,
            &[TCB],
            &[priority, priority],
        );
        self.invoke_ok(
            tcb,
            Invocation::TCBWriteRegisters,
            &[],
            &[1, 2, 0x1000 * tcb, 0x7000],
        );
        let id = self.kernel.threads().next().unwrap().id;
        Runner { tcb, buffer, id }
    }
}

/// Thread of a test.
#[derive(Clone, Copy)]
pub struct Runner {
    pub tcb: usize,
    pub buffer: usize,
    pub id: ThreadId,
}

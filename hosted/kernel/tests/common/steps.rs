// SPDX-License-Identifier: GPL-2.0-only

//! Random sequences of system calls, generated from seeds. The model and a root server on the
//! kernel take the same steps, so that their answers can be compared.

/// Tag of a word that is a slot of the root CNode, relative to the first one of the sequences.
pub const SLOT: u64 = 0x5e10 << 48;
/// Tag of a word that is an address of the threads' instructions: a system call, then an invalid
/// instruction.
pub const CODE: u64 = 0x57ab << 48;

/// Kind of a step: invocation; for a capability to an endpoint, non-blocking send.
pub const INVOKE: u64 = 1;
/// Kind of a step: non-blocking send.
pub const NB_SEND: u64 = 2;
/// Kind of a step: write of a word, to the address in place of the capability.
pub const STORE: u64 = 3;
/// Kind of a step: end of the sequence, which deletes everything.
pub const END: u64 = 4;

/// Address of the threads' IPC buffers.
pub const BUFFERS: u64 = 0x100_0000_0000;

#[derive(Debug)]
pub struct Step {
    pub kind: u64,
    pub label: u64,
    pub cptr: u64,
    pub caps: Vec<u64>,
    pub words: Vec<u64>,
}

impl Step {
    /// Encodes the step for the root server.
    pub fn encode(&self, out: &mut Vec<u64>) {
        let (caps, words) = (self.caps.len() as u64, self.words.len() as u64);
        out.push(self.kind | self.label << 8 | caps << 32 | words << 40);
        out.push(self.cptr);
        out.extend(&self.caps);
        out.extend(&self.words);
    }
}

const TCB: u64 = 1;
const CNODE: u64 = 2;
const VSPACE: u64 = 3;
const IRQ_CONTROL: u64 = 4;
const ASID_CONTROL: u64 = 5;
/// First slot behind the initial capabilities.
const SCHED_CONTROL: u64 = 16;
const ASID_POOL: u64 = 6;
const IO_PORTS: u64 = 7;
const DOMAIN: u64 = 11;

// Slots of the objects that each sequence begins with. All sequences share the first.
const MEMORY: u64 = SLOT;
const SMALL: u64 = SLOT + 1;
const PAGE: u64 = SLOT + 2;
const ENDPOINT: u64 = SLOT + 3;
const NOTIFICATION: u64 = SLOT + 4;
const THREADS: u64 = SLOT + 5;
const CONTEXTS: u64 = SLOT + 20;
const REPLIES: u64 = SLOT + 24;
const NODE: u64 = SLOT + 8;
const FRAMES: u64 = SLOT + 9;
const TABLES: u64 = SLOT + 13;
const SPACE: u64 = SLOT + 16;
const FAULTS: u64 = SLOT + 17;
const BADGED: u64 = SLOT + 18;
const LAST: u64 = 44;

// Labels of libsel4 on x86_64, for one core.
const RETYPE: u64 = 1;
const READ_REGISTERS: u64 = 2;
const WRITE_REGISTERS: u64 = 3;
const COPY_REGISTERS: u64 = 4;
const CONFIGURE: u64 = 5;
const SET_PRIORITY: u64 = 6;
const SET_MC_PRIORITY: u64 = 7;
const SET_SCHED_PARAMS: u64 = 8;
const SET_IPC_BUFFER: u64 = 9;
const SET_SPACE: u64 = 10;
const SUSPEND: u64 = 11;
const RESUME: u64 = 12;
const BIND: u64 = 13;
const UNBIND: u64 = 14;
const SET_TLS_BASE: u64 = 15;
const SET_FLAGS: u64 = 16;
const REVOKE: u64 = 17;
const DELETE: u64 = 18;
const CANCEL_BADGED: u64 = 19;
const COPY: u64 = 20;
const MINT: u64 = 21;
const MOVE: u64 = 22;
const MUTATE: u64 = 23;
const ROTATE: u64 = 24;
const SAVE_CALLER: u64 = 25;
const IRQ_ISSUE: u64 = 26;
const IRQ_ACK: u64 = 27;
const IRQ_CLEAR: u64 = 29;
const DOMAIN_SET: u64 = 30;
const PDPT_MAP: u64 = 33;
// With mixed-criticality scheduling.
const SET_TIMEOUT_ENDPOINT: u64 = 9;
const CONFIGURE_FLAGS: u64 = 33;
const BIND_CONTEXT: u64 = 34;
const UNBIND_CONTEXT: u64 = 35;
const UNBIND_OBJECT: u64 = 36;
pub const CONSUMED: u64 = 37;
pub const YIELD_TO: u64 = 38;
const PAGE_TABLE_UNMAP: u64 = 38;
const PAGE_MAP: u64 = 39;
const PAGE_UNMAP: u64 = 40;
const GET_ADDRESS: u64 = 41;
const MAKE_POOL: u64 = 42;
const ASSIGN: u64 = 43;
const PORT_ISSUE: u64 = 44;
const PORT_IN: u64 = 45;
const PORT_OUT_LAST: u64 = 50;
const IOAPIC: u64 = 51;
const MSI: u64 = 52;

pub struct Generator {
    state: u64,
    /// Set for mixed-criticality scheduling.
    mcs: bool,
    pub steps: Vec<Step>,
}

impl Generator {
    /// Generates a sequence: steps that create the initial objects, then `steps` random ones.
    pub fn sequence(seed: u64, steps: usize, mcs: bool) -> Vec<Step> {
        let mut generator = Generator {
            mcs,
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            steps: Vec::new(),
        };
        generator.begin();
        for _ in 0..steps {
            generator.step();
        }
        generator.push(END, 0, 0, &[], &[]);
        generator.steps
    }

    fn random(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state >> 11
    }

    fn below(&mut self, end: u64) -> u64 {
        self.random() % end
    }

    fn one_of(&mut self, of: &[u64]) -> u64 {
        of[self.below(of.len() as u64) as usize]
    }

    /// Returns a slot, more often one of the initial objects.
    fn slot(&mut self) -> u64 {
        let end = self.one_of(&[20, LAST]);
        SLOT + 1 + self.below(end)
    }

    fn depth(&mut self) -> u64 {
        self.one_of(&[
            64,
            64,
            64,
            64,
            64,
            64,
            64,
            64,
            64,
            0,
            63,
            65,
            13,
            51,
            52,
            u64::MAX,
        ])
    }

    fn vaddr(&mut self) -> u64 {
        let offset = self.one_of(&[
            0,
            0x1000,
            0x5000,
            0x20_0000,
            0x4000_0000,
            0x80_0000_0000,
            0x123,
        ]);
        let base = self.one_of(&[
            BUFFERS,
            BUFFERS,
            BUFFERS,
            0x7fff_ffff_f000 - offset,
            u64::MAX - offset,
        ]);
        base.wrapping_add(offset)
    }

    fn push(&mut self, kind: u64, label: u64, cptr: u64, caps: &[u64], words: &[u64]) {
        self.steps.push(Step {
            kind,
            label,
            cptr,
            caps: caps.to_vec(),
            words: words.to_vec(),
        });
    }

    fn invoke(&mut self, label: u64, cptr: u64, caps: &[u64], words: &[u64]) {
        // Mixed-criticality scheduling has other invocations in between.
        let label = match label {
            9..=24 if self.mcs => label + 1,
            SAVE_CALLER if self.mcs => SET_TIMEOUT_ENDPOINT,
            33.. if self.mcs => label + 6,
            label => label,
        };
        self.push(INVOKE, label, cptr, caps, words);
    }

    /// Adds an invocation that exists only with mixed-criticality scheduling.
    fn invoke_mcs(&mut self, label: u64, cptr: u64, caps: &[u64], words: &[u64]) {
        self.push(INVOKE, label, cptr, caps, words);
    }

    /// Returns the number of an object type, given that without mixed-criticality scheduling.
    fn object_type(&self, kind: u64) -> u64 {
        match kind {
            5.. if self.mcs => kind + 2,
            kind => kind,
        }
    }

    fn make(&mut self, kind: u64, bits: u64, first: u64, count: u64) {
        let kind = self.object_type(kind);
        self.invoke(RETYPE, MEMORY, &[CNODE], &[kind, bits, 0, 0, first, count]);
    }

    fn begin(&mut self) {
        self.make(0, 16, SMALL, 1);
        self.make(0, 12, PAGE, 1);
        self.make(2, 0, ENDPOINT, 1);
        self.make(3, 0, NOTIFICATION, 1);
        self.make(1, 0, THREADS, 3);
        self.make(4, 4, NODE, 1);
        self.make(8, 0, FRAMES, 4);
        self.make(5, 0, TABLES, 1);
        self.make(11, 0, TABLES + 1, 1);
        self.make(10, 0, TABLES + 2, 1);
        self.make(6, 0, SPACE, 1);
        self.make(2, 0, FAULTS, 1);
        self.invoke(MINT, CNODE, &[CNODE], &[BADGED, 64, ENDPOINT, 64, 15, 17]);
        for (table, label) in [(0, PDPT_MAP), (1, PDPT_MAP + 2), (2, PDPT_MAP + 4)] {
            self.invoke(label, TABLES + table, &[VSPACE], &[BUFFERS, 0]);
        }
        if self.mcs {
            for object in 0..4 {
                self.invoke(
                    RETYPE,
                    MEMORY,
                    &[CNODE],
                    &[5, 8, 0, 0, CONTEXTS + object, 1],
                );
                self.invoke(RETYPE, MEMORY, &[CNODE], &[6, 0, 0, 0, REPLIES + object, 1]);
            }
        }
        for thread in 0..3 {
            let buffer = BUFFERS + thread * 0x1000;
            self.invoke(PAGE_MAP, FRAMES + thread, &[VSPACE], &[buffer, 3, 0]);
            let sent = [ENDPOINT, NOTIFICATION, NODE];
            for (index, cap) in (0..).zip(sent) {
                self.push(STORE, 0, buffer + (122 + index) * 8, &[], &[cap]);
            }
            for (index, word) in (0..).zip([CNODE, SLOT + 40 + thread, 64]) {
                self.push(STORE, 0, buffer + (125 + index) * 8, &[], &[word]);
            }
            let caps = [CNODE, VSPACE, FRAMES + thread];
            if self.mcs {
                let context = CONTEXTS + thread;
                let times = [1_000_000, 1_000_000, 0, thread, 0];
                self.invoke_mcs(CONFIGURE_FLAGS, SCHED_CONTROL, &[context], &times);
                self.invoke(CONFIGURE, THREADS + thread, &caps, &[0, 0, buffer]);
                let caps = [TCB, context, FAULTS];
                self.invoke(
                    SET_SCHED_PARAMS,
                    THREADS + thread,
                    &caps,
                    &[0, 110 + thread * 10],
                );
                continue;
            }
            self.invoke(CONFIGURE, THREADS + thread, &caps, &[FAULTS, 0, 0, buffer]);
            self.invoke(
                SET_SCHED_PARAMS,
                THREADS + thread,
                &[TCB],
                &[0, 110 + thread * 10],
            );
        }
    }

    /// Makes a thread run a system call, and reads the registers of all threads.
    fn run(&mut self) {
        let thread = THREADS + self.below(3);
        let numbers: &[u64] = match self.mcs {
            true => &[1, 1, 2, 2, 3, 4, 5, 6, 7, 7, 7, 8, 9, 9, 10, 11, 77],
            false => &[1, 1, 2, 3, 4, 5, 5, 6, 7, 8, 77],
        };
        let number = self.one_of(numbers).wrapping_neg();
        let cptr = match self.below(4) {
            0 => self.slot(),
            1 => self.one_of(&[0, 20_000, NODE, MEMORY + 60, FAULTS]),
            _ => self.one_of(&[ENDPOINT, BADGED, NOTIFICATION, FAULTS]),
        };
        let label = self.one_of(&[0, 0, 1, 17, 60]);
        let length = self.one_of(&[0, 1, 4, 6, 20, 127]);
        let info = label << 12 | self.below(4) << 7 | length;
        let words: [u64; 4] = core::array::from_fn(|_| self.below(50));
        let [a, b, c, d] = words;
        let (reply, destination) = match self.mcs {
            true => {
                let reply = REPLIES + self.below(4);
                let other = [
                    ENDPOINT,
                    BADGED,
                    NOTIFICATION,
                    REPLIES,
                    REPLIES + 1,
                    THREADS,
                ];
                (
                    self.one_of(&[reply, reply, reply, 0, ENDPOINT]),
                    self.one_of(&other),
                )
            }
            false => (0, 0),
        };
        // In the order of seL4_UserContext.
        let registers = [
            CODE,
            0,
            0,
            0,
            0,
            0,
            number,
            info,
            cptr,
            0,
            b,
            c,
            a,
            0,
            reply,
            destination,
            0,
            d,
        ];
        let all: Vec<u64> = [1, 18].into_iter().chain(registers).collect();
        self.invoke(WRITE_REGISTERS, thread, &[], &all);
        for thread in 0..3 {
            self.invoke(READ_REGISTERS, THREADS + thread, &[], &[0, 18]);
        }
    }

    fn step(&mut self) {
        let (a, b, c) = (self.slot(), self.slot(), self.slot());
        let depth = self.depth();
        let small = self.below(20);
        if self.mcs && self.below(4) == 0 {
            return self.step_mcs(a, b, depth);
        }
        match self.below(44) {
            0..=8 => self.run(),
            9..=12 => {
                let from = self.one_of(&[SMALL, SMALL, PAGE, a]);
                let kind = self.one_of(&[0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 99]);
                let bits = self.one_of(&[0, 3, 4, 5, 8, 12, 46, 64]);
                let (root, index, depth) = match self.below(3) {
                    0 => (NODE, small, self.one_of(&[0, 4])),
                    1 => (CNODE, b, depth),
                    _ => (CNODE, 0, 0),
                };
                let offset = if root == NODE { self.below(18) } else { c };
                let count = self.one_of(&[1, 1, 1, 2, 3, 0, 300]);
                let kind = self.object_type(kind);
                self.invoke(
                    RETYPE,
                    from,
                    &[root],
                    &[kind, bits, index, depth, offset, count],
                );
            }
            13..=18 => {
                let label = self.one_of(&[COPY, COPY, MINT, MINT, MOVE, MUTATE]);
                let rights = self.below(16);
                let data = self.one_of(&[0, 1, 17, 3 | 5 << 6, 62, u64::MAX]);
                let depth2 = self.depth();
                let (root, to, depth) = match self.below(4) {
                    0 => (NODE, self.below(18), self.one_of(&[4, 3, 5])),
                    _ => (CNODE, a, depth),
                };
                let (from_root, from, depth2) = match self.below(4) {
                    0 => (NODE, self.below(16), 4),
                    1 => (c, b, depth2),
                    _ => (CNODE, b, depth2),
                };
                let words = match label {
                    MUTATE => vec![to, depth, from, depth2, data],
                    _ => vec![to, depth, from, depth2, rights, data],
                };
                let length = match self.below(8) {
                    0 => self.below(7) as usize,
                    _ => words.len(),
                };
                self.invoke(label, root, &[from_root], &words[..length.min(words.len())]);
            }
            19..=21 => {
                let label = self.one_of(&[DELETE, DELETE, REVOKE, CANCEL_BADGED, SAVE_CALLER]);
                self.invoke(label, CNODE, &[], &[a, depth]);
            }
            22 => {
                let label = self.one_of(&[DELETE, REVOKE, CANCEL_BADGED, COPY]);
                self.invoke(label, NODE, &[CNODE], &[small, 4, a, 64, 15]);
            }
            23 | 24 => {
                let (data, other) = (self.one_of(&[0, 0, 1]), self.one_of(&[0, 0, 3]));
                let to = self.one_of(&[a, c]);
                let words = [to, 64, data, b, depth, other, c, 64];
                self.invoke(ROTATE, CNODE, &[CNODE, CNODE], &words);
            }
            25 => {
                let label = self.one_of(&[SUSPEND, RESUME, UNBIND]);
                let thread = self.one_of(&[THREADS, THREADS + 1, a]);
                self.invoke(label, thread, &[], &[]);
            }
            26 => {
                let thread = self.one_of(&[THREADS, THREADS + 1, a]);
                let notification = self.one_of(&[NOTIFICATION, NOTIFICATION, b]);
                self.invoke(BIND, thread, &[notification], &[]);
            }
            27 => {
                let label = self.one_of(&[SET_PRIORITY, SET_MC_PRIORITY, SET_SCHED_PARAMS]);
                let priority = self.one_of(&[0, 50, 105, 115, 125, 256, u64::MAX]);
                let second = self.one_of(&[0, 50, 107, 117, 127, 256]);
                let authority = self.one_of(&[TCB, TCB, TCB, THREADS, b]);
                let thread = self.state % 3;
                let mut caps = vec![authority];
                if self.mcs && label == SET_SCHED_PARAMS {
                    caps.extend([CONTEXTS + thread, FAULTS]);
                }
                self.invoke(label, THREADS + thread, &caps, &[priority, second]);
            }
            28 => {
                let (frame, buffer) = (self.one_of(&[FRAMES + 3, b]), self.vaddr());
                self.invoke(SET_IPC_BUFFER, THREADS, &[frame], &[buffer & !7]);
            }
            29 => {
                let cspace = self.one_of(&[CNODE, NODE, b]);
                let vspace = self.one_of(&[VSPACE, SPACE, c]);
                let data = self.one_of(&[0, 3, 1 << 6 | 60, 62]);
                let thread = THREADS + self.below(2);
                match self.below(2) {
                    0 if self.mcs => {
                        let caps = [FAULTS, cspace, vspace];
                        self.invoke(SET_SPACE, thread, &caps, &[data, 0]);
                    }
                    1 if self.mcs => {
                        let words = [data, 0, BUFFERS];
                        self.invoke(CONFIGURE, thread, &[cspace, vspace, FRAMES], &words);
                    }
                    0 => self.invoke(SET_SPACE, thread, &[cspace, vspace], &[FAULTS, data, 0]),
                    _ => {
                        let words = [FAULTS, data, 0, BUFFERS];
                        self.invoke(CONFIGURE, thread, &[cspace, vspace, FRAMES], &words);
                    }
                }
            }
            30 => {
                let flags = self.below(16);
                self.invoke(
                    COPY_REGISTERS,
                    THREADS,
                    &[THREADS + 1 + flags % 2],
                    &[flags & 13],
                );
            }
            31 => {
                let (clear, set) = (self.below(4), self.below(4));
                self.invoke(SET_FLAGS, THREADS + 2, &[], &[clear, set]);
                self.invoke(SET_TLS_BASE, THREADS + 2, &[], &[small]);
            }
            32..=34 => {
                let frame = self.one_of(&[FRAMES + 3, FRAMES + 3, FRAMES + 2, a]);
                let space = self.one_of(&[VSPACE, VSPACE, SPACE, b]);
                let (vaddr, rights) = (self.vaddr(), self.below(4));
                match self.below(5) {
                    0 => self.invoke(PAGE_UNMAP, frame, &[], &[]),
                    // The IPC buffers stay mapped.
                    _ if vaddr >> 15 == BUFFERS >> 15 && space != SPACE => {
                        self.invoke(PAGE_MAP, frame, &[space], &[vaddr + 0x8000, rights, 0]);
                    }
                    _ => self.invoke(PAGE_MAP, frame, &[space], &[vaddr, rights, 0]),
                }
            }
            35 | 36 => {
                let label = PDPT_MAP + self.below(PAGE_TABLE_UNMAP - PDPT_MAP + 1);
                let table = self.one_of(&[TABLES, TABLES + 1, TABLES + 2, a]);
                let space = self.one_of(&[VSPACE, SPACE, SPACE, b]);
                let vaddr = self.vaddr();
                self.invoke(label, table, &[space], &[vaddr, 0]);
            }
            37 => {
                let untyped = self.one_of(&[PAGE, PAGE, SMALL, a]);
                self.invoke(MAKE_POOL, ASID_CONTROL, &[untyped, CNODE], &[b, depth]);
            }
            38 => {
                let pool = self.one_of(&[ASID_POOL, ASID_POOL, b]);
                let space = self.one_of(&[SPACE, SPACE, c]);
                self.invoke(ASSIGN, pool, &[space], &[]);
            }
            39 => {
                let (label, pin) = (self.one_of(&[IOAPIC, MSI, MSI]), self.one_of(&[23, 24]));
                let vector = self.one_of(&[0, 5, 107, 108, 109]);
                let level = self.one_of(&[0, 1, 2]);
                let words = match label {
                    IOAPIC => [a, 64, self.one_of(&[0, 0, 1]), pin, level, 0, vector],
                    _ => [
                        a,
                        64,
                        0,
                        self.one_of(&[0, 31, 32]),
                        self.one_of(&[0, 8]),
                        0,
                        vector,
                    ],
                };
                self.invoke(label, IRQ_CONTROL, &[CNODE], &words);
                let label = self.one_of(&[IRQ_ISSUE, IRQ_ACK, IRQ_ACK + 1, IRQ_CLEAR]);
                let to = self.one_of(&[IRQ_CONTROL, a]);
                self.invoke(label, to, &[NOTIFICATION], &[5, b, 64]);
            }
            40 => {
                let (first, last) = (
                    self.one_of(&[0x3f8, 0x10_003f8, 0x400]),
                    self.one_of(&[0x3ff, 0x40f]),
                );
                self.invoke(PORT_ISSUE, IO_PORTS, &[CNODE], &[first, last, a, depth]);
            }
            41 => {
                let label = DOMAIN_SET + self.below(3);
                let words = [self.below(2), self.below(2), self.one_of(&[0, 60, 1 << 57])];
                self.invoke(label, DOMAIN, &[THREADS + small % 3], &words);
            }
            42 => {
                let label = self.below(60);
                let label = match label {
                    // The model knows neither devices nor physical addresses.
                    PORT_IN..=PORT_OUT_LAST | GET_ADDRESS => 0,
                    label => label,
                };
                // The others depend on the clock.
                let label = if self.mcs { label.min(30) } else { label };
                let words: Vec<u64> = (0..self.below(9)).map(|_| self.below(300)).collect();
                let caps = [a, b, c];
                let count = self.below(4) as usize;
                self.invoke(label, a, &caps[..count], &words);
            }
            _ => {
                let words = [small, 1, 2, 3, 4, 5];
                let length = self.below(7) as usize;
                self.push(NB_SEND, small, a, &[b], &words[..length]);
            }
        }
    }

    /// Adds a step with scheduling contexts and reply objects.
    fn step_mcs(&mut self, a: u64, b: u64, depth: u64) {
        let context = CONTEXTS + self.below(4);
        let context = self.one_of(&[context, context, context, a]);
        let thread = THREADS + self.below(3);
        match self.below(12) {
            0 | 1 => {
                let period = self.one_of(&[1_000_000, 2_000_000, 500_000]);
                let budget = self.one_of(&[1_000_000, 500_000]);
                let words = [budget, period, self.below(12), 7, self.below(2)];
                self.invoke_mcs(CONFIGURE_FLAGS, SCHED_CONTROL, &[context], &words);
            }
            2..=4 => {
                let object = self.one_of(&[thread, thread, NOTIFICATION, b]);
                let label = self.one_of(&[BIND_CONTEXT, BIND_CONTEXT, UNBIND_OBJECT]);
                self.invoke_mcs(label, context, &[object], &[]);
            }
            5 => {
                let label = self.one_of(&[UNBIND_CONTEXT, CONSUMED]);
                self.invoke_mcs(label, context, &[], &[]);
            }
            6 => self.invoke_mcs(YIELD_TO, context, &[], &[]),
            7 => {
                let other = self.one_of(&[context, SLOT + 63, b]);
                let handler = self.one_of(&[FAULTS, ENDPOINT, SLOT + 63, b]);
                let priority = self.one_of(&[105, 115, 125]);
                let caps = [TCB, other, handler];
                self.invoke(SET_SCHED_PARAMS, thread, &caps, &[0, priority]);
            }
            8 => self.invoke_mcs(SET_TIMEOUT_ENDPOINT, thread, &[b], &[]),
            9 => {
                let reply = REPLIES + self.below(4);
                let label = self.one_of(&[DELETE, REVOKE]);
                self.invoke(label, CNODE, &[], &[reply, depth]);
            }
            10 => self.invoke(DELETE, CNODE, &[], &[context, 64]),
            _ => {
                let reply = REPLIES + self.below(4);
                self.push(NB_SEND, 0, reply, &[b], &[1, 2, 3]);
            }
        }
    }
}

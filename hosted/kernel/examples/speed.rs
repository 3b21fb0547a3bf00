// SPDX-License-Identifier: GPL-2.0-only

//! Speed of the model: kernel entries and round trips per second. Run it with `--release`.

use std::time::Instant;

use sel4_hosted_kernel::{
    Access, Config, Image, Invocation, Kernel, Labels, Machine, MessageInfo, Region, Register,
    VSpaceId,
};

/// Registers of the capability, the message info and the first words of a message.
#[cfg(target_arch = "aarch64")]
const REGISTERS: (Register, Register, [Register; 4]) = {
    use Register::*;
    (X0, X1, [X2, X3, X4, X5])
};
#[cfg(target_arch = "x86_64")]
const REGISTERS: (Register, Register, [Register; 4]) = {
    use Register::*;
    (Rdi, Rsi, [R10, R8, R9, R15])
};

/// First address of the memory.
const MEMORY: usize = 0x100_0000;
/// Addresses of the image.
const IMAGE: Region = Region {
    start: 0x40_0000,
    end: 0x40_1000,
};

/// Memory of words, and the physical address of the IPC buffer.
struct Words {
    words: Vec<usize>,
    buffer: usize,
}

impl Machine for Words {
    fn read_word(&self, paddr: usize) -> usize {
        self.words[(paddr - MEMORY) / 8]
    }

    fn write_word(&mut self, paddr: usize, value: usize) {
        self.words[(paddr - MEMORY) / 8] = value;
    }

    fn zero(&mut self, _: usize, _: usize) {}

    fn map(&mut self, _: VSpaceId, vaddr: usize, paddr: usize, _: u8, _: Access) {
        if vaddr == IMAGE.end {
            self.buffer = paddr;
        }
    }

    fn unmap(&mut self, _: VSpaceId, _: usize, _: u8) {}

    fn put_char(&mut self, _: u8) {}

    fn now(&self) -> u64 {
        0
    }
}

const CALL: isize = -1;
const REPLY_RECV: isize = -2;
const RECV: isize = -5;
const YIELD: isize = -7;

const TCB: usize = 1;
const CNODE: usize = 2;
const VSPACE: usize = 3;
const NOTIFICATION: usize = 1001;
const ENDPOINT: usize = 1002;
const THREADS: usize = 1003;

struct System(Kernel<Words>);

impl System {
    /// Makes a system call of the current thread. The IPC buffer holds capabilities, and words
    /// after four.
    fn enter(&mut self, number: isize, cptr: usize, info: MessageInfo, words: [usize; 4]) {
        if let Some(current) = self.0.current() {
            let context = self.0.context_mut(current);
            context[REGISTERS.0] = cptr;
            context[REGISTERS.1] = info.0;
            let registers = REGISTERS.2;
            for (register, word) in registers.into_iter().zip(words) {
                context[register] = word;
            }
        }
        self.0.syscall(number);
    }

    fn invoke(&mut self, cptr: usize, invocation: Invocation, caps: &[usize], words: &[usize]) {
        let machine = self.0.machine_mut();
        for (index, word) in words.iter().enumerate().skip(4) {
            machine.write_word(machine.buffer + (index + 1) * 8, *word);
        }
        for (index, cap) in caps.iter().enumerate() {
            machine.write_word(machine.buffer + (122 + index) * 8, *cap);
        }
        let label = Invocation::ALL.iter().position(|of| *of == invocation);
        let info = MessageInfo::new(
            label.map_or(0, |label| label + 1),
            0,
            caps.len(),
            words.len(),
        );
        let first = core::array::from_fn(|index| words.get(index).copied().unwrap_or(0));
        self.enter(CALL, cptr, info, first);
        let error = self
            .0
            .current()
            .map_or(0, |current| self.0.context(current)[REGISTERS.1] >> 12);
        assert_eq!(error, 0, "{invocation:?}");
    }
}

fn measure(what: &str, count: u32, mut step: impl FnMut()) {
    let start = Instant::now();
    (0..count).for_each(|_| step());
    let seconds = start.elapsed().as_secs_f64();
    println!("{what:<48} {:>12.0} per second", f64::from(count) / seconds);
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::default();
    let Region { start, end } = config.memory;
    let machine = Words {
        words: vec![0; (end - start) / 8],
        buffer: 0,
    };
    let image = Image {
        vaddrs: IMAGE,
        ipc_buffer: IMAGE.end,
        entry: IMAGE.start,
        extra: Vec::new(),
    };
    let (kernel, layout) = Kernel::boot(machine, &config, Labels::default(), &image)?;
    // Word 19 of the BootInfo is the first untyped's slot. The largest untyped is in the middle.
    let info = kernel.machine().buffer + 0x1000;
    let read = |word: usize| kernel.machine().read_word(info + word * 8);
    let untypeds = read(19)..read(20);
    let largest = untypeds.max_by_key(|slot| read(22 + 2 * (slot - read(19))) & 0xff);
    let untyped = largest.ok_or("there is no memory")?;
    let mut system = System(kernel);
    let make = |system: &mut System, kind: usize, slot: usize, count: usize| {
        let words = [kind, 0, 0, 0, slot, count];
        system.invoke(untyped, Invocation::UntypedRetype, &[CNODE], &words);
    };
    make(&mut system, 3, NOTIFICATION, 1);
    make(&mut system, 2, ENDPOINT, 1);
    make(&mut system, 1, THREADS, 2);
    assert_eq!(layout.ipc_buffer, IMAGE.end);

    let none = MessageInfo::new(0, 0, 0, 0);
    measure("system calls without an effect: yield", 5_000_000, || {
        system.enter(YIELD, 0, none, [0; 4]);
    });
    measure("refused invocations", 5_000_000, || {
        system.enter(CALL, CNODE, none, [0; 4]);
    });
    measure("capabilities copied and deleted", 500_000, || {
        system.invoke(
            CNODE,
            Invocation::CNodeCopy,
            &[CNODE],
            &[1100, 64, ENDPOINT, 64, 15],
        );
        system.invoke(CNODE, Invocation::CNodeDelete, &[], &[1100, 64]);
    });
    measure("objects created and deleted", 500_000, || {
        make(&mut system, 2, 1100, 1);
        system.invoke(CNODE, Invocation::CNodeDelete, &[], &[1100, 64]);
    });
    for (thread, priority) in [(THREADS, 20), (THREADS + 1, 10)] {
        system.invoke(
            thread,
            Invocation::TCBSetSpace,
            &[CNODE, VSPACE],
            &[0, 0, 0],
        );
        system.invoke(thread, Invocation::TCBSetPriority, &[TCB], &[priority]);
        system.invoke(thread, Invocation::TCBResume, &[], &[]);
    }
    // The initial thread waits for ever, the server for its client.
    system.enter(RECV, NOTIFICATION, none, [0; 4]);
    system.enter(RECV, ENDPOINT, none, [0; 4]);
    for length in [0, 4] {
        let message = MessageInfo::new(0, 0, 0, length);
        measure(
            &format!("calls and replies of {length} words"),
            2_000_000,
            || {
                system.enter(CALL, ENDPOINT, message, [1, 2, 3, 4]);
                system.enter(REPLY_RECV, ENDPOINT, message, [5, 6, 7, 8]);
            },
        );
    }
    Ok(())
}

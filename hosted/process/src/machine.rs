// SPDX-License-Identifier: BSD-2-Clause

//! The machine below the kernel: physical memory is a file in memory, and a frame is mapped where the
//! seL4 program wants it, so that it is there for all of the process.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::ptr;

use sel4_hosted_kernel::{Access, Event, Machine, Region, ThreadId, VSpaceId};

use crate::end::{refuse, write};
use crate::own::Own;
use crate::timer::{self, Timer};
use crate::trace::Trace;

/// Hashes without keys. Rust's own are a thread's, and those of a root server's first thread are not the host's to ask
/// for.
pub type Plain = BuildHasherDefault<DefaultHasher>;

/// Memory, address spaces and the console of a process.
pub struct Process {
    memory: Region,
    /// That memory, and the page of the timer's registers.
    file: libc::c_int,
    pub timer: Timer,
    /// The interrupt that the timer makes.
    pub timer_irq: Option<usize>,
    /// Addresses of the program itself, which are there in all address spaces.
    own: Region,
    /// Whether these are mapped as the host has loaded them.
    own_is_there: bool,
    /// All of the memory, as the kernel sees it.
    base: *mut u8,
    /// What the address spaces have, by address.
    spaces: BTreeMap<VSpaceId, BTreeMap<usize, Mapping>>,
    /// The address space that the process shows. The first one that maps something is that of the
    /// first thread.
    shown: Option<VSpaceId>,
    line: Vec<u8>,
    /// Microseconds since boot, of a time that goes on with what threads do.
    pub time: u64,
    trace: Option<Trace>,
    /// Who went wrong, and has made no system call since.
    wrong: HashSet<ThreadId, Plain>,
}

const PAGE: usize = 4096;

#[derive(Clone, Copy)]
struct Mapping {
    paddr: usize,
    bytes: usize,
    access: Access,
}

impl Process {
    /// A machine with this memory, all zero. What is mapped first at the addresses of the program itself is taken
    /// to be there, until [`Process::take`] has seen to it.
    pub fn new(memory: Region, own: Region, trace: Option<Trace>) -> Self {
        let bytes = memory.end - memory.start;
        // SAFETY: plain calls of libc with what they are documented to take.
        let (file, base) = unsafe {
            let file = libc::memfd_create(c"seL4 memory".as_ptr(), libc::MFD_CLOEXEC);
            libc::ftruncate(file, (bytes + PAGE) as libc::off_t);
            let rw = libc::PROT_READ | libc::PROT_WRITE;
            (
                file,
                libc::mmap(ptr::null_mut(), bytes + PAGE, rw, libc::MAP_SHARED, file, 0),
            )
        };
        if base == libc::MAP_FAILED {
            refuse(&format!(
                "cannot have {bytes} bytes of memory: {}",
                std::io::Error::last_os_error()
            ));
        }
        Self {
            memory,
            file,
            timer: Timer::default(),
            timer_irq: timer::IRQ,
            own,
            own_is_there: true,
            base: base.cast(),
            spaces: BTreeMap::new(),
            shown: None,
            line: Vec::new(),
            time: 0,
            trace,
            wrong: HashSet::default(),
        }
    }

    /// The memory at a physical address.
    fn at(&self, paddr: usize) -> *mut usize {
        assert!(
            paddr.is_multiple_of(size_of::<usize>())
                && (self.memory.start..self.memory.end).contains(&paddr),
            "the model reaches for the physical address {paddr:#x}"
        );
        self.base.wrapping_add(paddr - self.memory.start).cast()
    }

    /// Whether the last that a thread did was to go wrong.
    pub fn went_wrong(&self, thread: ThreadId) -> bool {
        self.wrong.contains(&thread)
    }

    /// Writes out what the console has of a line.
    pub fn flush(&mut self) {
        write(1, &self.line);
        self.line.clear();
    }

    /// Shows an address space in place of the one that is shown.
    pub fn show(&mut self, vspace: VSpaceId) {
        if self.shown == Some(vspace) {
            return;
        }
        self.hide();
        self.shown = Some(vspace);
        for (vaddr, mapping) in self.runs() {
            self.put(vaddr, mapping, libc::MAP_FIXED_NOREPLACE);
        }
    }

    /// Puts the program itself into the memory, from a physical address on. What it can write is that memory from
    /// now on; the rest remains what debuggers know, until it is mapped anew.
    pub fn take(&mut self, own: &Own, paddr: usize) {
        let offset =
            |vaddr| (paddr - self.memory.start + (vaddr - own.vaddrs.start)) as libc::off_t;
        for segment in &own.segments {
            let from = ptr::with_exposed_provenance(segment.start);
            let bytes = segment.end - segment.start;
            // SAFETY: the host has loaded it there.
            let written = unsafe { libc::pwrite(self.file, from, bytes, offset(segment.start)) };
            if written != bytes as isize {
                let error = std::io::Error::last_os_error();
                refuse(&format!("cannot copy the program into the memory: {error}"));
            }
        }
        for &Region { start, end } in &own.writable {
            // Nothing is written there from the copy on: this is the only thread, and its stack is elsewhere.
            // SAFETY: the same bytes as before.
            let result = unsafe {
                libc::mmap(
                    ptr::without_provenance_mut(start),
                    end - start,
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_SHARED | libc::MAP_FIXED,
                    self.file,
                    offset(start),
                )
            };
            if result == libc::MAP_FAILED {
                let error = std::io::Error::last_os_error();
                refuse(&format!(
                    "cannot map the program's variables as frames: {error}"
                ));
            }
        }
        self.own_is_there = false;
    }

    fn is_memory(&self, paddr: usize) -> bool {
        (self.memory.start..self.memory.end).contains(&paddr)
    }

    /// The timer's register at an address where a thread may read or write it.
    pub fn register(&self, address: usize, write: bool) -> Option<usize> {
        let space = self.spaces.get(&self.shown?)?;
        let mapping = space.get(&(address & !(PAGE - 1)))?;
        let is_timer = mapping.paddr == timer::ADDRESS && mapping.bytes == PAGE;
        (is_timer && (mapping.access.write || !write)).then_some(address % PAGE / 4)
    }

    /// Lets a thread access the timer's registers at an address.
    pub fn open_registers(&mut self, address: usize) {
        self.time += timer::ACCESS;
        self.timer.is_used = true;
        self.timer.look(self.time);
        for word in 0..PAGE / 4 {
            if let Some(value) = self.timer.read(word, self.time) {
                // SAFETY: in the page behind the memory.
                unsafe { self.timer_page().add(word).write_volatile(value) };
            }
        }
        self.protect_registers(address, libc::PROT_READ | libc::PROT_WRITE);
    }

    /// No longer, and what was written has its effect.
    pub fn close_registers(&mut self, address: usize, written: Option<usize>) {
        self.protect_registers(address, libc::PROT_NONE);
        if let Some(word) = written {
            // SAFETY: in the page behind the memory.
            let value = unsafe { self.timer_page().add(word).read_volatile() };
            self.timer.write(word, value, self.time);
        }
    }

    fn timer_page(&self) -> *mut u32 {
        self.base
            .wrapping_add(self.memory.end - self.memory.start)
            .cast()
    }

    fn protect_registers(&self, address: usize, protection: libc::c_int) {
        let page = ptr::without_provenance_mut(address & !(PAGE - 1));
        // SAFETY: the timer's page is mapped there.
        unsafe { libc::mprotect(page, PAGE, protection) };
    }

    fn is_own(&self, vaddr: usize) -> bool {
        (self.own.start..self.own.end).contains(&vaddr)
    }

    /// What is shown, with as few mappings as can be: pages that lie one behind the other are one.
    fn runs(&self) -> Vec<(usize, Mapping)> {
        let mut runs: Vec<(usize, Mapping)> = Vec::new();
        let shown = self.shown.and_then(|shown| self.spaces.get(&shown));
        let mappings = shown.into_iter().flatten();
        for (&vaddr, mapping) in mappings.filter(|(vaddr, _)| !self.is_own(**vaddr)) {
            match runs.last_mut() {
                Some((start, run))
                    if self.is_memory(run.paddr)
                        && *start + run.bytes == vaddr
                        && run.paddr + run.bytes == mapping.paddr
                        && run.access == mapping.access =>
                {
                    run.bytes += mapping.bytes;
                }
                _ => runs.push((vaddr, *mapping)),
            }
        }
        runs
    }

    /// Takes away what is shown.
    fn hide(&self) {
        for (vaddr, mapping) in self.runs() {
            // SAFETY: mapped by this, and no thread runs that wants it.
            unsafe { libc::munmap(ptr::without_provenance_mut(vaddr), mapping.bytes) };
        }
    }

    /// Maps a part of the memory into the process. `place` says whether what is there is replaced.
    fn put(&self, vaddr: usize, mapping: Mapping, place: libc::c_int) {
        let Mapping {
            paddr,
            bytes,
            access,
        } = mapping;
        let mut protection = libc::PROT_READ;
        if access.write {
            protection |= libc::PROT_WRITE;
        }
        if access.execute {
            protection |= libc::PROT_EXEC;
        }
        let (file, flags, offset) = if self.is_memory(paddr) {
            (self.file, libc::MAP_SHARED, paddr - self.memory.start)
        } else if paddr == timer::ADDRESS {
            // Each access is a fault, and seen to.
            protection = libc::PROT_NONE;
            (
                self.file,
                libc::MAP_SHARED,
                self.memory.end - self.memory.start,
            )
        } else {
            // Of a device that is not there: zero, and nobody reads what is written.
            (-1, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, 0)
        };
        let at = ptr::without_provenance_mut(vaddr);
        // SAFETY: the seL4 program wants it there, and nobody else has that place.
        let result = unsafe {
            libc::mmap(
                at,
                bytes,
                protection,
                place | flags,
                file,
                offset as libc::off_t,
            )
        };
        if result.addr() != vaddr {
            let error = std::io::Error::last_os_error();
            refuse(&format!(
                "cannot map {bytes} bytes at {vaddr:#x}: {error}\n\
                 help: this address belongs to the process itself, or to nobody; choose another, such as 0x10000000"
            ));
        }
    }
}

impl Machine for Process {
    #[inline]
    fn read_word(&self, paddr: usize) -> usize {
        // SAFETY: within the memory, as `at` sees to; threads may write there, so it is volatile.
        unsafe { self.at(paddr).read_volatile() }
    }

    #[inline]
    fn write_word(&mut self, paddr: usize, value: usize) {
        // SAFETY: as above.
        unsafe { self.at(paddr).write_volatile(value) }
    }

    fn zero(&mut self, paddr: usize, bytes: usize) {
        assert!(
            bytes <= self.memory.end - paddr,
            "the model clears {bytes} bytes at {paddr:#x}"
        );
        // SAFETY: within the memory.
        unsafe { self.at(paddr).cast::<u8>().write_bytes(0, bytes) }
    }

    fn map(&mut self, vspace: VSpaceId, vaddr: usize, paddr: usize, size_bits: u8, access: Access) {
        let mapping = Mapping {
            paddr,
            bytes: 1 << size_bits,
            access,
        };
        let before = self
            .spaces
            .entry(vspace)
            .or_default()
            .insert(vaddr, mapping);
        let is_shown = *self.shown.get_or_insert(vspace) == vspace;
        let is_own = self.is_own(vaddr);
        if is_own && self.own_is_there {
            return;
        }
        if is_shown || is_own {
            // What the process has for itself stays its own; what this has mapped there is replaced.
            let place = match before {
                Some(_) => libc::MAP_FIXED,
                None => libc::MAP_FIXED_NOREPLACE,
            };
            self.put(vaddr, mapping, place);
        }
    }

    fn unmap(&mut self, vspace: VSpaceId, vaddr: usize, _: u8) {
        let removed = self
            .spaces
            .get_mut(&vspace)
            .and_then(|space| space.remove(&vaddr));
        if let Some(mapping) = removed.filter(|_| self.shown == Some(vspace) || self.is_own(vaddr))
        {
            // SAFETY: mapped by this, and the seL4 program wants it gone.
            unsafe { libc::munmap(ptr::without_provenance_mut(vaddr), mapping.bytes) };
        }
    }

    fn put_char(&mut self, byte: u8) {
        self.line.push(byte);
        if byte == b'\n' || self.line.len() >= 1024 {
            self.flush();
        }
    }

    fn now(&self) -> u64 {
        self.time
    }

    #[cfg(target_arch = "x86_64")]
    fn route(&mut self, irq: usize, pin: usize) {
        if pin == timer::PIN {
            self.timer_irq = Some(irq);
        }
    }

    #[inline]
    fn event(&mut self, event: Event) {
        match event {
            Event::Fault { thread, .. } => {
                self.wrong.insert(thread);
            }
            Event::Syscall { thread, .. } if !self.wrong.is_empty() => {
                self.wrong.remove(&thread);
            }
            _ => {}
        }
        if let Some(trace) = &mut self.trace {
            trace.event(event);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.flush();
        self.hide();
        // SAFETY: all of it is this value's own.
        unsafe {
            libc::munmap(self.base.cast(), self.memory.end - self.memory.start + PAGE);
            libc::close(self.file);
        }
    }
}

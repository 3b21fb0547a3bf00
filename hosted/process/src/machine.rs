// SPDX-License-Identifier: BSD-2-Clause

//! The machine below the kernel. Physical memory is a file in memory; a frame is mapped into the process
//! at the address that the seL4 program chooses.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::ptr;

use sel4_hosted_kernel::{Access, Event, Machine, Region, ThreadId, VSpaceId};

use crate::end::{refuse, write};
use crate::executable::Executable;
use crate::timer::{self, Timer};
use crate::trace::Trace;

/// Hasher without random keys. std keeps such keys per thread, and the first thread's belong to the root server.
pub type UnkeyedHasher = BuildHasherDefault<DefaultHasher>;

/// Memory, address spaces and the console of a process.
pub struct Process {
    memory: Region,
    /// File that holds the memory and, behind it, the page of the timer's registers.
    file: libc::c_int,
    pub timer: Timer,
    /// Interrupt of the timer.
    pub timer_irq: Option<usize>,
    /// Addresses of the executable, which is mapped in every address space.
    executable: Region,
    /// True while these addresses show the executable as Linux has loaded it.
    executable_is_as_loaded: bool,
    /// The kernel's mapping of the whole file.
    base: *mut u8,
    /// Mappings of each address space, by address.
    spaces: BTreeMap<VSpaceId, BTreeMap<usize, Mapping>>,
    /// Address space that the process has mapped. The first one that maps something is that of the first
    /// thread.
    shown: Option<VSpaceId>,
    line: Vec<u8>,
    /// Microseconds since boot. Time passes with the actions of threads.
    pub time: u64,
    /// Time of the first alarm, or [`NEVER`].
    pub next_alarm: u64,
    trace: Option<Trace>,
    /// Threads that have faulted and made no system call since.
    faulted: HashSet<ThreadId, UnkeyedHasher>,
}

/// Deadline that never comes.
pub const NEVER: u64 = u64::MAX;

const PAGE: usize = 4096;

#[derive(Clone, Copy)]
struct Mapping {
    paddr: usize,
    bytes: usize,
    access: Access,
}

impl Process {
    /// Makes a machine with zeroed memory. Mappings at the addresses of the executable are only recorded until
    /// [`Process::adopt`] has moved the executable into the memory.
    pub fn new(memory: Region, executable: Region, trace: Option<Trace>) -> Self {
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
                "cannot allocate {bytes} bytes as the machine's memory: {}\nhelp: set SEL4_HOSTED_MEMORY_MIB to a smaller number",
                std::io::Error::last_os_error()
            ));
        }
        Self {
            memory,
            file,
            timer: Timer::default(),
            timer_irq: timer::IRQ,
            executable,
            executable_is_as_loaded: true,
            base: base.cast(),
            spaces: BTreeMap::new(),
            shown: None,
            line: Vec::new(),
            time: 0,
            next_alarm: NEVER,
            trace,
            faulted: HashSet::default(),
        }
    }

    /// Returns a pointer to the word at a physical address.
    fn at(&self, paddr: usize) -> *mut usize {
        assert!(
            paddr.is_multiple_of(size_of::<usize>())
                && (self.memory.start..self.memory.end).contains(&paddr),
            "the model accesses the physical address {paddr:#x}, which is not memory"
        );
        self.base.wrapping_add(paddr - self.memory.start).cast()
    }

    /// Returns whether the thread has faulted and made no system call since.
    pub fn has_faulted(&self, thread: ThreadId) -> bool {
        self.faulted.contains(&thread)
    }

    /// Writes out the console's unfinished line.
    pub fn flush(&mut self) {
        write(1, &self.line);
        self.line.clear();
    }

    /// Maps an address space into the process, in place of the present one.
    pub fn show(&mut self, vspace: VSpaceId) {
        if self.shown == Some(vspace) {
            return;
        }
        self.hide();
        self.shown = Some(vspace);
        for (vaddr, mapping) in self.merged_mappings() {
            self.map_into_process(vaddr, mapping, libc::MAP_FIXED_NOREPLACE);
        }
    }

    /// Copies the executable into the memory at a physical address and maps its writable parts from there. The
    /// rest stays mapped as loaded, where debuggers know it, until it is mapped again.
    pub fn adopt(&mut self, executable: &Executable, paddr: usize) {
        let offset =
            |vaddr| (paddr - self.memory.start + (vaddr - executable.vaddrs.start)) as libc::off_t;
        for segment in &executable.segments {
            let from = ptr::with_exposed_provenance(segment.start);
            let bytes = segment.end - segment.start;
            // SAFETY: Linux has loaded the segment there.
            let written = unsafe { libc::pwrite(self.file, from, bytes, offset(segment.start)) };
            if written != bytes as isize {
                let error = std::io::Error::last_os_error();
                refuse(&format!(
                    "cannot copy the program into the machine's memory: {error}"
                ));
            }
        }
        for &Region { start, end } in &executable.writable {
            // Nothing changes between copy and mapping: this is the only thread, and its stack is elsewhere.
            // SAFETY: the mapping has the same bytes.
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
        self.executable_is_as_loaded = false;
    }

    fn is_memory(&self, paddr: usize) -> bool {
        (self.memory.start..self.memory.end).contains(&paddr)
    }

    /// Returns the number of the timer's register at an address, if the running thread may access it.
    pub fn register(&self, address: usize, write: bool) -> Option<usize> {
        let space = self.spaces.get(&self.shown?)?;
        let mapping = space.get(&(address & !(PAGE - 1)))?;
        let is_timer = mapping.paddr == timer::ADDRESS && mapping.bytes == PAGE;
        (is_timer && (mapping.access.write || !write)).then_some(address % PAGE / 4)
    }

    /// Updates the timer's registers and lets a thread access them at an address.
    pub fn open_registers(&mut self, address: usize) {
        self.time += timer::ACCESS;
        self.timer.is_used = true;
        self.timer.update(self.time);
        for word in 0..PAGE / 4 {
            if let Some(value) = self.timer.read(word, self.time) {
                // SAFETY: in the page behind the memory.
                unsafe { self.timer_page().add(word).write_volatile(value) };
            }
        }
        self.protect_registers(address, libc::PROT_READ | libc::PROT_WRITE);
    }

    /// Ends the access, and lets the value written to a register take effect.
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

    fn is_in_executable(&self, vaddr: usize) -> bool {
        (self.executable.start..self.executable.end).contains(&vaddr)
    }

    /// Returns the mappings of the present address space, contiguous pages merged into one.
    fn merged_mappings(&self) -> Vec<(usize, Mapping)> {
        let mut runs: Vec<(usize, Mapping)> = Vec::new();
        let shown = self.shown.and_then(|shown| self.spaces.get(&shown));
        let mappings = shown.into_iter().flatten();
        for (&vaddr, mapping) in mappings.filter(|(vaddr, _)| !self.is_in_executable(**vaddr)) {
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

    /// Unmaps the present address space.
    fn hide(&self) {
        for (vaddr, mapping) in self.merged_mappings() {
            // SAFETY: this value has made the mapping, and no thread runs that uses it.
            unsafe { libc::munmap(ptr::without_provenance_mut(vaddr), mapping.bytes) };
        }
    }

    /// Maps a part of the memory into the process. `place` is `MAP_FIXED` to replace an earlier mapping, and else
    /// `MAP_FIXED_NOREPLACE`.
    fn map_into_process(&self, vaddr: usize, mapping: Mapping, place: libc::c_int) {
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
            // Each access faults, and the platform emulates it.
            protection = libc::PROT_NONE;
            (
                self.file,
                libc::MAP_SHARED,
                self.memory.end - self.memory.start,
            )
        } else {
            // A device that is not modelled reads as zero, and writes have no effect.
            (-1, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, 0)
        };
        let at = ptr::without_provenance_mut(vaddr);
        // SAFETY: the seL4 program has chosen the address, and the process has nothing else there.
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
                 help: Linux uses that address or forbids it; choose another, such as 0x10000000"
            ));
        }
    }
}

impl Machine for Process {
    #[inline]
    fn read_word(&self, paddr: usize) -> usize {
        // SAFETY: `at` checks that the address is memory. Volatile, because threads may write there.
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
        let is_in_executable = self.is_in_executable(vaddr);
        if is_in_executable && self.executable_is_as_loaded {
            return;
        }
        if is_shown || is_in_executable {
            // Replace a mapping of this machine, but none that the process has for other purposes.
            let place = match before {
                Some(_) => libc::MAP_FIXED,
                None => libc::MAP_FIXED_NOREPLACE,
            };
            self.map_into_process(vaddr, mapping, place);
        }
    }

    fn unmap(&mut self, vspace: VSpaceId, vaddr: usize, _: u8) {
        let removed = self
            .spaces
            .get_mut(&vspace)
            .and_then(|space| space.remove(&vaddr));
        if let Some(mapping) =
            removed.filter(|_| self.shown == Some(vspace) || self.is_in_executable(vaddr))
        {
            // SAFETY: this value has made the mapping, and the seL4 program unmaps it.
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

    fn interrupt_pending(&mut self) -> bool {
        self.time += 1;
        self.next_alarm <= self.time
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
                self.faulted.insert(thread);
            }
            Event::Syscall { thread, .. } if !self.faulted.is_empty() => {
                self.faulted.remove(&thread);
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
        // SAFETY: this value owns the mapping and the file.
        unsafe {
            libc::munmap(self.base.cast(), self.memory.end - self.memory.start + PAGE);
            libc::close(self.file);
        }
    }
}

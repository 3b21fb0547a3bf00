// SPDX-License-Identifier: BSD-2-Clause

//! A kernel and its threads on one thread of the host.

mod device;
mod settings;
mod time;

use std::arch::asm;
use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use sel4_hosted_kernel::{
    Context, Fault, Holdings, Image, Kernel, Labels, Region, Register, ThreadId, ThreadState,
    VSpaceId,
};
use sel4_hosted_libsel4::api::{Invocation, seL4_BootInfo, seL4_IPCBuffer};
use sel4_hosted_libsel4::{Host, install};

use self::settings::Settings;
use self::time::NEVER;
use crate::debugger;
use crate::end::{self, End};
use crate::foreign::{self, Program};
use crate::machine::{Plain, Process};
use crate::own::Own;
use crate::signals::{self, Trouble};
use crate::stack::Stack;
use crate::storage;
use crate::switch::{self, FpState, Frame};
use crate::trace::Trace;

/// Where the IPC buffer and the BootInfo of the root server are mapped: far from where programs map
/// things, and from where Linux does.
const PLACE: usize = 0x2000_0000_0000;

/// Bytes of the host's own stack.
const HOST_STACK: usize = 8 << 20;

/// Kernel entries of all kernels of the process, for the watchdog.
static ENTRIES: AtomicU64 = AtomicU64::new(0);

/// Where the number of a system call is and its first arguments, the base of thread-local storage and the stack.
#[cfg(target_arch = "aarch64")]
const NUMBER: Register = Register::X7;
#[cfg(target_arch = "aarch64")]
const ARGUMENTS: [Register; 2] = [Register::X0, Register::X1];
#[cfg(target_arch = "aarch64")]
const TLS_BASE: Register = Register::TpidrEl0;
#[cfg(target_arch = "aarch64")]
const STACK_POINTER: Register = Register::Sp;
#[cfg(target_arch = "x86_64")]
const NUMBER: Register = Register::Rdx;
#[cfg(target_arch = "x86_64")]
const ARGUMENTS: [Register; 2] = [Register::Rdi, Register::Rsi];
#[cfg(target_arch = "x86_64")]
const TLS_BASE: Register = Register::FsBase;
#[cfg(target_arch = "x86_64")]
const STACK_POINTER: Register = Register::Rsp;

/// The pseudo system call by which the root server's thread says that it is done.
const FINISH: isize = isize::MIN;
/// That which tells the time.
const CLOCK: isize = FINISH + 1;
/// That which has the timer interrupt.
const ALARM: isize = FINISH + 2;
/// The frame of the kernel in this thread of the host; null if there is none.
fn frame() -> *mut Frame {
    sel4_hosted_libsel4::current().cast_mut().cast()
}

/// The BootInfo of the kernel in this thread of the host; null if there is none.
pub fn boot_info() -> *mut seL4_BootInfo {
    let frame = frame();
    if frame.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: what is installed lives.
    unsafe { (*frame).boot_info }
}

/// Bytes of physical memory of the kernel in this thread of the host.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn memory() -> usize {
    let world: *const World = frame().cast();
    assert!(!world.is_null(), "no kernel runs in this thread");
    // SAFETY: a frame is the beginning of a world; what is installed lives.
    let memory = unsafe { (*world).settings.kernel.memory };
    memory.end - memory.start
}

/// Whether an seL4 thread runs this, and not the host or another thread of Linux.
#[must_use]
pub fn in_thread() -> bool {
    let frame = frame();
    // SAFETY: what is installed lives.
    !frame.is_null() && unsafe { (*frame).in_thread != 0 }
}

/// The time in microseconds since boot. It goes on with what threads do; to ask is a kernel entry.
///
/// # Safety
///
/// An seL4 thread runs this.
pub unsafe fn clock() -> u64 {
    // SAFETY: as the caller promises.
    unsafe { call(frame(), CLOCK, [0; 2]) as u64 }
}

/// A timer for each interrupt: has this one come at `deadline`, of the clock above, and not before.
///
/// # Safety
///
/// An seL4 thread runs this.
pub unsafe fn set_alarm(irq: usize, deadline: u64) {
    // SAFETY: as the caller promises.
    unsafe { call(frame(), ALARM, [irq, deadline as usize]) };
}

/// What the process keeps of a thread besides what the kernel does.
struct Side {
    /// What `seL4_SetIPCBuffer` has set.
    ipc_buffer: *mut seL4_IPCBuffer,
    /// The base of the thread-local storage that it was set for.
    tls: usize,
    /// The storage that it has: its own, if that was lent, or that of the host's thread.
    storage: usize,
    /// The state of floating-point numbers.
    fp: Box<FpState>,
    /// Whether it goes on with that.
    fp_restores: u8,
}

impl Side {
    /// What a thread begins with that has this base; else it shares the storage at `shared`.
    fn new(tls: usize, shared: usize) -> Self {
        let lent = storage::lent(tls);
        Self {
            ipc_buffer: lent.unwrap_or(ptr::null_mut()),
            tls,
            storage: if lent.is_some() { tls } else { shared },
            fp: Box::new(FpState([0; 4096])),
            fp_restores: 0,
        }
    }
}

/// A kernel, the host that runs it, and what they share with the running thread. It stays in its
/// place: the frame comes first, and its address is all that machine code has.
#[repr(C)]
struct World {
    frame: Frame,
    /// The registers of the thread that becomes the root server's.
    first: Context,
    settings: Settings,
    /// Whether the process is a root server from now to its end, with its own pages as frames.
    is_whole: bool,
    /// What runs instead of the thread that makes this.
    program: Option<Program>,
    stack: Stack,
    _signals: Stack,
}

/// Makes the calling thread the root server's thread of a fresh kernel: from here on it has
/// capabilities, an IPC buffer and a BootInfo, and libsel4's functions work. When it suspends itself,
/// the process ends, with the code that `main` returned if [`returned`] was told.
pub fn start() {
    let world = Box::leak(World::new(None));
    world.is_whole = true;
    world.begin();
}

/// Prints what a kernel prints when it has booted.
pub fn say_booted() {
    // Nothing of C's is held back yet.
    end::write(1, b"Booting all finished, dropped to user space\n");
}

/// Runs a root server that was built for a kernel, in place of the calling thread.
pub fn run_program(program: Program) -> ! {
    say_booted();
    Box::leak(World::new(Some(program))).begin();
    unreachable!("the program runs in place of this")
}

/// Runs `function` as a root server on a fresh kernel, which goes away with it. It gets the BootInfo.
///
/// # Panics
///
/// If a kernel runs in this thread already.
pub fn run<R>(function: impl FnOnce(&'static seL4_BootInfo) -> R) -> R {
    assert!(
        sel4_hosted_libsel4::current().is_null(),
        "a kernel runs in this thread already"
    );
    let mut world = World::new(None);
    world.begin();
    /// Ends the kernel, also when the function panics.
    struct Finish(*mut World);
    impl Drop for Finish {
        fn drop(&mut self) {
            // SAFETY: the world lives until the function that made it ends.
            unsafe { call((&raw mut (*self.0).frame).cast(), FINISH, [0; 2]) };
            // SAFETY: none is installed any more.
            unsafe { install(ptr::null()) };
        }
    }
    let _finish = Finish(&raw mut *world);
    // SAFETY: the kernel has just written it, and it stays until the end of the kernel.
    function(unsafe { &*boot_info() })
}

/// Keeps what `main` returned, for the exit code.
pub fn returned(code: u8) {
    MAIN_RETURNED.store(code.into(), Relaxed);
}

static MAIN_RETURNED: AtomicU64 = AtomicU64::new(0);

impl World {
    fn new(program: Option<Program>) -> Box<Self> {
        let frame = Frame {
            host: Host {
                entry: switch::entry,
                ipc_buffer: Cell::new(ptr::null_mut()),
            },
            context: ptr::null_mut(),
            boot_info: ptr::null_mut(),
            stack: 0,
            fp: ptr::null_mut(),
            fp_restores: 0,
            foreign: 0,
            in_thread: 0,
            stepping: 0,
            // x87, SSE, AVX and AVX-512: as much as there is room for.
            fp_mask: 0xe7,
            trouble: None,
        };
        Box::new(Self {
            frame,
            // SAFETY: plain integers.
            first: unsafe { std::mem::zeroed() },
            settings: Settings::read(program.as_ref()),
            is_whole: false,
            program,
            stack: Stack::new(HOST_STACK),
            _signals: signals::handle(),
        })
    }

    /// Goes on as the root server's thread.
    fn begin(&mut self) {
        let frame: *mut Frame = &raw mut self.frame;
        self.frame.context = &raw mut self.first;
        // SAFETY: this world stays where it is as long as its kernel runs.
        unsafe {
            switch::prepare(frame, self.stack.top().cast(), main);
            install(frame.cast());
            call(frame, 0, [0; 2]);
        }
    }
}

/// A system call that is none. Gives what is answered in the place of the first argument.
///
/// # Safety
///
/// The frame is that of a kernel, and where it can take the call.
unsafe fn call(frame: *mut Frame, number: isize, arguments: [usize; 2]) -> usize {
    let [first, second] = arguments;
    let answer;
    // SAFETY: `entry` keeps what is not named here.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            "ldr x10, [x9]",
            "blr x10",
            inout("x9") frame => _,
            inout("x7") number => _,
            inout("x0") first => answer,
            inout("x1") second => _,
            clobber_abi("C"),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            "call [rax]",
            inout("rax") frame => _,
            inout("rdx") number => _,
            inout("rdi") first => answer,
            inout("rsi") second => _,
            clobber_abi("C"),
        );
    }
    answer
}

/// What the host does, on its own stack.
unsafe extern "C" fn main(frame: *mut Frame) -> ! {
    // SAFETY: a frame is the beginning of a world.
    let world = unsafe { &mut *frame.cast::<World>() };
    let mut platform = Platform::boot(world);
    debugger::begin(&mut world.frame);
    if world.program.is_some() {
        debugger::sel4_hosted_loaded();
    }
    end::tell_of(&raw const platform.kernel);
    loop {
        let Platform { kernel, .. } = &mut platform;
        if let Some(end) = signals::pending().and_then(signals::end_of) {
            platform.end(end);
        }
        let Some(thread) = kernel.current() else {
            if platform.skip_idle_time() {
                continue;
            }
            let end = platform.why_nobody_runs(world.frame.foreign != 0);
            platform.end(end);
        };
        if platform.running != Some(thread) {
            platform.switch_to(world, thread);
        }
        let kernel = &mut platform.kernel;
        world.frame.context = kernel.context_mut(thread);
        debugger::observe(kernel);
        // SAFETY: the thread's registers are as it left them, or as another thread wants them.
        let how = unsafe { switch::enter(frame) };
        debugger::observe(ptr::null_mut());
        match how {
            switch::SYSCALL => match kernel.context(thread)[NUMBER] as isize {
                FINISH => break,
                CLOCK => {
                    platform.count_entry();
                    let time = platform.kernel.machine().time;
                    platform.kernel.context_mut(thread)[ARGUMENTS[0]] = time as usize;
                }
                ALARM => {
                    let context = platform.kernel.context(thread);
                    let [irq, deadline] = ARGUMENTS.map(|register| context[register]);
                    platform.set_alarm(irq, deadline as u64);
                }
                number => {
                    platform.count_entry();
                    platform.kernel.syscall(number);
                }
            },
            _ => platform.trouble(world, thread),
        }
        platform.look_at_clock();
    }
    platform.leave(world)
}

/// A kernel, and what the process keeps of its threads.
struct Platform {
    kernel: Kernel<Process>,
    root: ThreadId,
    running: Option<ThreadId>,
    /// Whether time matters: scheduling is mixed-criticality.
    timed: bool,
    /// Of the entries at which much time passes.
    seed: Option<u64>,
    sides: HashMap<ThreadId, Side, Plain>,
    /// The thread-local storage that all threads share which have none of their own.
    shared_storage: usize,
    /// Timers that run: when each ends, and its interrupt.
    alarms: BTreeSet<(u64, usize)>,
    /// When the first ends.
    next_alarm: u64,
}

impl Platform {
    fn boot(world: &mut World) -> Self {
        let own = world.is_whole.then(Own::find).flatten();
        let nothing = Region {
            start: PLACE,
            end: PLACE,
        };
        let (labels, image) = match &world.program {
            None => (
                Invocation::ALL
                    .map(|invocation| (format!("{invocation:?}"), invocation as usize))
                    .into(),
                Image {
                    vaddrs: own.as_ref().map_or(nothing, |own| own.vaddrs),
                    ipc_buffer: PLACE,
                    entry: 0,
                    extra: Vec::new(),
                },
            ),
            Some(program) => (program.labels.clone(), program.image()),
        };
        let labels = labels.into_iter().filter_map(|(name, number)| {
            let known = sel4_hosted_kernel::Invocation::ALL;
            Some((number, *known.iter().find(|known| known.name() == name)?))
        });
        let settings = &world.settings;
        let machine = Process::new(
            settings.kernel.memory,
            own.as_ref().map_or(nothing, |own| own.vaddrs),
            Trace::wanted(),
        );
        let (mut kernel, layout) =
            Kernel::boot(machine, &settings.kernel, Labels::new(labels), &image)
                .unwrap_or_else(|error| end::refuse(&format!("the kernel does not boot: {error}")));
        kernel.inject(settings.injection);
        let Some(root) = kernel.current() else {
            unreachable!("a kernel that has booted runs its first thread");
        };
        if let Some(own) = own {
            kernel.machine_mut().take(&own, layout.image.start);
        }
        let context = kernel.context_mut(root);
        let shared_storage = storage::base();
        let mut side = Side::new(0, shared_storage);
        if let Some(program) = &world.program {
            program.load();
            foreign::dispatch();
            world.frame.foreign = 1;
        } else {
            // The thread that asked for all this goes on as the root server's.
            *context = world.first.clone();
            let ipc_buffer = ptr::with_exposed_provenance_mut(layout.ipc_buffer);
            world.frame.host.ipc_buffer.set(ipc_buffer);
            world.frame.boot_info = ptr::with_exposed_provenance_mut(layout.boot_info);
        }
        world.frame.fp = &raw mut *side.fp;
        let limit = (settings.watchdog > 0).then(|| Duration::from_secs(settings.watchdog));
        signals::want_ticks(settings.kernel.mcs);
        signals::watch(&ENTRIES, limit);
        Self {
            kernel,
            root,
            running: Some(root),
            timed: settings.kernel.mcs,
            // A state that goes on; zero would stay.
            seed: settings.kernel.seed.map(|seed| seed | 1 << 63),
            sides: HashMap::from_iter([(root, side)]),
            shared_storage,
            alarms: BTreeSet::new(),
            next_alarm: NEVER,
        }
    }

    /// Gives the process what belongs to a thread, and keeps what belongs to the one before.
    fn switch_to(&mut self, world: &mut World, thread: ThreadId) {
        let frame = &mut world.frame;
        let mut storage_now = self.shared_storage;
        if let Some(side) = self
            .running
            .and_then(|running| self.sides.get_mut(&running))
        {
            storage_now = side.storage;
            side.ipc_buffer = frame.host.ipc_buffer.get();
            side.fp_restores = frame.fp_restores;
        }
        let tls = self.kernel.context(thread)[TLS_BASE];
        // A thread without an address space has nothing.
        let vspace = self.kernel.vspace(thread).unwrap_or(VSpaceId(0));
        self.kernel.machine_mut().show(vspace);
        let shared = self.shared_storage;
        let side = self
            .sides
            .entry(thread)
            .or_insert_with(|| Side::new(tls, shared));
        if side.tls != tls {
            let lent = storage::lent(tls);
            side.tls = tls;
            side.storage = if lent.is_some() { tls } else { shared };
            side.ipc_buffer = lent.unwrap_or(side.ipc_buffer);
        }
        if side.storage != storage_now {
            // SAFETY: it is lent, or the host's own.
            unsafe { storage::change(side.storage) };
        }
        frame.host.ipc_buffer.set(side.ipc_buffer);
        frame.fp = &raw mut *side.fp;
        frame.fp_restores = side.fp_restores;
        self.running = Some(thread);
    }

    /// A thread has come back without a system call.
    fn trouble(&mut self, world: &mut World, thread: ThreadId) {
        // What was saved of floating-point numbers is what it goes on with.
        world.frame.fp_restores = 1;
        match world.frame.trouble.take() {
            Some(Trouble::Syscall) => {
                self.count_entry();
                let number = self.kernel.context(thread)[NUMBER];
                self.kernel.syscall(number as isize);
            }
            Some(Trouble::Fault(fault)) if self.access_device(world, thread, fault) => {}
            Some(Trouble::Fault(fault)) => {
                self.count_entry();
                self.kernel.fault(fault);
                self.look_for_overflow(thread, fault);
            }
            Some(Trouble::Tick) => {
                self.let_time_pass();
            }
            Some(other) => {
                if let Some(end) = signals::end_of(other) {
                    self.end(end);
                }
            }
            None => {}
        }
    }

    /// Says so if a thread has used up its stack, and nobody mends that.
    fn look_for_overflow(&mut self, thread: ThreadId, fault: Fault) {
        /// How far from the stack pointer a function may reach: a little downwards, and into its frame.
        const BELOW: usize = 4096;
        const ABOVE: usize = 1 << 20;
        let Fault::Vm { address, .. } = fault else {
            return;
        };
        let top = self.kernel.context(thread)[STACK_POINTER];
        let reach = top.saturating_sub(BELOW)..top.saturating_add(ABOVE);
        if reach.contains(&address) && self.state(thread) == Some(ThreadState::Inactive) {
            self.kernel.machine_mut().flush();
            let name = self.kernel.name(thread);
            end::say(&format!(
                "thread `{name}` has used up its stack: there is nothing at its stack pointer, {top:#x}\n\
                 help: give it a larger stack, or a fault handler"
            ));
        }
    }

    fn state(&self, thread: ThreadId) -> Option<ThreadState> {
        self.kernel
            .threads()
            .find(|view| view.id == thread)
            .map(|view| view.state)
    }

    fn why_nobody_runs(&self, is_image: bool) -> End {
        let done = End::Done(MAIN_RETURNED.load(Relaxed) as u8);
        match self.state(self.root) {
            // That is how muslc's abort() ends.
            _ if self.kernel.is_halted() && is_image => End::Halted,
            _ if self.kernel.is_halted() => done,
            Some(ThreadState::Inactive) if self.kernel.machine().went_wrong(self.root) => {
                End::Fault
            }
            Some(ThreadState::Inactive) | None => done,
            Some(_) => End::Deadlock,
        }
    }

    /// Ends the process.
    fn end(&mut self, end: End) -> ! {
        self.kernel.machine_mut().flush();
        // What C has printed comes before what is said here.
        // SAFETY: no seL4 thread runs any more.
        unsafe { libc::fflush(ptr::null_mut()) };
        end.report(&self.kernel);
        self.account();
        end::exit(end.code())
    }

    /// What the user wants to know of a kernel that ends.
    fn account(&self) {
        if std::env::var_os("SEL4_HOSTED_LEAKS").is_some_and(|value| value == "1") {
            let Holdings { slots, bytes } = self.kernel.holdings();
            end::say(&format!(
                "still held: {slots} slots, {bytes} bytes of untyped memory"
            ));
        }
        if let Some(file) = std::env::var_os("SEL4_HOSTED_GRAPH").filter(|file| !file.is_empty())
            && let Err(error) = std::fs::write(&file, self.kernel.graph())
        {
            end::say(&format!("cannot write `{}`: {error}", file.display()));
        }
    }

    /// The kernel goes away, and the root server's thread goes on without it.
    fn leave(mut self, world: &mut World) -> ! {
        end::tell_of(ptr::null());
        world.first = self.kernel.context(self.root).clone();
        world.frame.context = &raw mut world.first;
        self.kernel.machine_mut().flush();
        self.account();
        drop(self);
        // SAFETY: it goes on where it asked for this, and does not come back.
        unsafe { switch::enter(&raw mut world.frame) };
        unreachable!("the kernel has ended")
    }
}

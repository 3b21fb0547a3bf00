// SPDX-License-Identifier: BSD-2-Clause

//! A kernel and its threads on one thread of the host.

mod device;
pub(crate) mod settings;
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
use crate::debugger;
use crate::end::{self, End};
use crate::executable::Executable;
use crate::machine::{Process, UnkeyedHasher};
use crate::signals::{self, Trap, Watch};
use crate::stack::Stack;
use crate::storage;
use crate::switch::{self, FpState, Frame};
use crate::trace::Trace;
use crate::unmodified::{self, Program};

/// Address of the root server's IPC buffer and BootInfo, far from the addresses that programs and Linux
/// choose.
const BOOT_PAGES: usize = 0x2000_0000_0000;

/// Bytes of the host's stack.
const HOST_STACK: usize = 8 << 20;

/// Registers of the system call number, its first arguments, the TLS base and the stack pointer.
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

/// Pseudo system call: the root server's thread is done.
const FINISH: isize = isize::MIN;
/// Pseudo system call: reads the clock.
const CLOCK: isize = FINISH + 1;
/// Pseudo system call: sets an alarm.
const ALARM: isize = FINISH + 2;

/// Returns the frame of the kernel in this thread of the host; null if there is none.
fn frame() -> *mut Frame {
    sel4_hosted_libsel4::current().cast_mut().cast()
}

/// Returns the BootInfo of the kernel in this thread of the host; null if there is none.
pub fn boot_info() -> *mut seL4_BootInfo {
    let frame = frame();
    if frame.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: an installed frame lives.
    unsafe { (*frame).boot_info }
}

/// Returns the bytes of physical memory of the kernel in this thread of the host.
///
/// # Panics
///
/// Panics if no kernel runs in this thread.
#[must_use]
pub fn memory() -> usize {
    let instance: *const Instance = frame().cast();
    assert!(!instance.is_null(), "no kernel runs in this thread");
    // SAFETY: a frame is the beginning of an instance, and an installed one lives.
    let memory = unsafe { (*instance).settings.kernel.memory };
    memory.end - memory.start
}

/// Returns whether the caller is an seL4 thread, rather than the host or another thread of Linux.
#[must_use]
pub fn in_thread() -> bool {
    let frame = frame();
    // SAFETY: an installed frame lives.
    !frame.is_null() && unsafe { (*frame).in_thread != 0 }
}

/// Returns the time in microseconds since boot. Reading it is a kernel entry.
///
/// # Safety
///
/// The caller is an seL4 thread.
pub unsafe fn clock() -> u64 {
    // SAFETY: as the caller promises.
    unsafe { call(frame(), CLOCK, [0; 2]) as u64 }
}

/// Sets the alarm of interrupt `irq`, one for each interrupt, to `deadline` of [`clock`]. `u64::MAX` clears it.
///
/// # Safety
///
/// The caller is an seL4 thread.
pub unsafe fn set_alarm(irq: usize, deadline: u64) {
    // SAFETY: as the caller promises.
    unsafe { call(frame(), ALARM, [irq, deadline as usize]) };
}

/// State of a thread that the process keeps besides the kernel's.
struct HostThreadState {
    /// IPC buffer, as `seL4_SetIPCBuffer` has set it.
    ipc_buffer: *mut seL4_IPCBuffer,
    /// TLS base at which `storage` and `ipc_buffer` were chosen.
    tls: usize,
    /// Base of the storage in use: lent storage, or that of the host's thread.
    storage: usize,
    /// Floating-point state.
    fp: Box<FpState>,
    /// Nonzero if the thread continues with `fp`.
    fp_restores: u8,
}

impl HostThreadState {
    /// State of a new thread with this TLS base. Without lent storage it shares that at `shared`.
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

/// A kernel's host, with the frame that it shares with the running thread. Never moves: machine code
/// knows only the address of the frame, which comes first.
#[repr(C)]
struct Instance {
    frame: Frame,
    /// Registers of the thread that becomes the root server's.
    first: Context,
    settings: Settings,
    /// True if the process stays a root server to its end, with the executable's pages as frames.
    is_whole_process: bool,
    /// Unmodified image that runs in place of the calling thread.
    program: Option<Program>,
    stack: Stack,
    _signals: Stack,
}

/// Makes the calling thread the root server's thread of a fresh kernel: from here on it has
/// capabilities, an IPC buffer and a BootInfo, and libsel4's functions work. When it suspends itself,
/// the process ends, with the code given to [`set_main_result`].
pub fn start() {
    let instance = Box::leak(Instance::new(None));
    instance.is_whole_process = true;
    instance.begin();
}

/// Prints the line with which a kernel reports that it has booted.
pub fn print_boot_message() {
    // C's streams have buffered nothing yet.
    end::write(1, b"Booting all finished, dropped to user space\n");
}

/// Runs an unmodified image in place of the calling thread.
pub fn run_program(program: Program) -> ! {
    print_boot_message();
    Box::leak(Instance::new(Some(program))).begin();
    unreachable!("the program runs in place of this")
}

/// Runs `function` as a root server on a fresh kernel that ends with it. Lends the BootInfo, which
/// the kernel takes along:
///
/// ```
/// let slots = sel4_hosted::run(|info| info.empty.end - info.empty.start);
/// assert!(slots > 1000);
/// ```
///
/// ```compile_fail
/// let info = sel4_hosted::run(|info| info);
/// ```
///
/// # Panics
///
/// Panics if a kernel runs in this thread already.
pub fn run<R>(function: impl FnOnce(&seL4_BootInfo) -> R) -> R {
    assert!(
        sel4_hosted_libsel4::current().is_null(),
        "a kernel runs in this thread already"
    );
    let mut instance = Instance::new(None);
    instance.begin();
    /// Ends the kernel, also when the function panics.
    struct Finish(*mut Instance);
    impl Drop for Finish {
        fn drop(&mut self) {
            // SAFETY: the instance lives until the function that made it ends.
            unsafe { call((&raw mut (*self.0).frame).cast(), FINISH, [0; 2]) };
            // SAFETY: null is always valid.
            unsafe { install(ptr::null()) };
        }
    }
    let _finish = Finish(&raw mut *instance);
    // SAFETY: the kernel has written the BootInfo, which stays until the kernel ends. The function
    // cannot keep the reference, since it takes one of any lifetime.
    function(unsafe { &*boot_info() })
}

/// Runs `function` as the root server of this program, for `main` of a crate that `cargo run` starts. Prints the
/// kernel's boot message, and with the feature `log` installs the logger, so that the console is that of the
/// crate's image. The exit code is the function's result.
///
/// ```
/// fn main() -> std::process::ExitCode {
///     sel4_hosted::root_server(|info| if info.empty.end > info.empty.start { 0 } else { 1 })
/// }
/// ```
pub fn root_server(function: impl FnOnce(&seL4_BootInfo) -> i32) -> std::process::ExitCode {
    #[cfg(feature = "log")]
    crate::install_logger();
    print_boot_message();
    (run(function) as u8).into()
}

/// Records the result of `main` for the exit code.
pub fn set_main_result(code: u8) {
    MAIN_RESULT.store(code.into(), Relaxed);
}

static MAIN_RESULT: AtomicU64 = AtomicU64::new(0);

impl Instance {
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
            unmodified: 0,
            in_thread: 0,
            stepping: 0,
            // x87, SSE, AVX and AVX-512, for which `FpState` has room.
            fp_mask: 0xe7,
            trap: None,
        };
        Box::new(Self {
            frame,
            // SAFETY: plain integers.
            first: unsafe { std::mem::zeroed() },
            settings: Settings::read(program.as_ref()),
            is_whole_process: false,
            program,
            stack: Stack::new(HOST_STACK),
            _signals: signals::handle(),
        })
    }

    /// Continues as the root server's thread.
    fn begin(&mut self) {
        let frame: *mut Frame = &raw mut self.frame;
        self.frame.context = &raw mut self.first;
        // SAFETY: this instance does not move while its kernel runs.
        unsafe {
            switch::prepare(frame, self.stack.top().cast(), serve);
            install(frame.cast());
            call(frame, 0, [0; 2]);
        }
    }
}

/// Makes a pseudo system call. Returns the answer in the first argument's register.
///
/// # Safety
///
/// The frame belongs to a kernel that waits for a system call.
unsafe fn call(frame: *mut Frame, number: isize, arguments: [usize; 2]) -> usize {
    let [first, second] = arguments;
    let answer;
    // SAFETY: `entry` preserves the registers that are not named here.
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

/// Main loop of the host, on its own stack.
unsafe extern "C" fn serve(frame: *mut Frame) -> ! {
    // SAFETY: a frame is the beginning of an instance.
    let instance = unsafe { &mut *frame.cast::<Instance>() };
    let mut platform = Platform::boot(instance);
    debugger::begin(&mut instance.frame);
    if instance.program.is_some() {
        debugger::sel4_hosted_loaded();
    }
    end::set_reported_kernel(&raw const platform.kernel);
    loop {
        let Platform { kernel, .. } = &mut platform;
        if let Some(end) = signals::pending().and_then(signals::end_for) {
            platform.end(end);
        }
        let Some(thread) = kernel.current() else {
            if platform.skip_idle_time() {
                continue;
            }
            let end = platform.idle_reason(instance.frame.unmodified != 0);
            platform.end(end);
        };
        if platform.running != Some(thread) {
            platform.switch_to(instance, thread);
        }
        let kernel = &mut platform.kernel;
        instance.frame.context = kernel.context_mut(thread);
        debugger::observe(kernel);
        // SAFETY: the thread's registers are as it left them, or as another thread has set them.
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
            _ => platform.handle_trap(instance, thread),
        }
        platform.deliver_due_interrupts();
    }
    platform.leave(instance)
}

/// A kernel, and the process's state of its threads.
struct Platform {
    kernel: Kernel<Process>,
    root: ThreadId,
    running: Option<ThreadId>,
    /// True if the kernel is MCS, so that time slices end without a kernel entry.
    is_mcs: bool,
    /// State of the generator that picks kernel entries at which a time slice ends (`SEL4_HOSTED_SEED`).
    seed: Option<u64>,
    host_states: HashMap<ThreadId, HostThreadState, UnkeyedHasher>,
    /// Base of the storage that threads without lent storage share.
    shared_storage: usize,
    /// Alarms that are set: deadline and interrupt.
    alarms: BTreeSet<(u64, usize)>,
    /// Timer that finds threads without a kernel entry.
    _watch: Option<Watch>,
}

impl Platform {
    fn boot(instance: &mut Instance) -> Self {
        let executable = instance.is_whole_process.then(Executable::find).flatten();
        let nothing = Region {
            start: BOOT_PAGES,
            end: BOOT_PAGES,
        };
        let (labels, image) = match &instance.program {
            None => (
                Invocation::ALL
                    .map(|invocation| (format!("{invocation:?}"), invocation as usize))
                    .into(),
                Image {
                    vaddrs: executable
                        .as_ref()
                        .map_or(nothing, |executable| executable.vaddrs),
                    ipc_buffer: BOOT_PAGES,
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
        let settings = &instance.settings;
        let machine = Process::new(
            settings.kernel.memory,
            executable
                .as_ref()
                .map_or(nothing, |executable| executable.vaddrs),
            Trace::wanted(),
        );
        let (mut kernel, layout) =
            Kernel::boot(machine, &settings.kernel, Labels::new(labels), &image)
                .unwrap_or_else(|error| end::refuse(&format!("the kernel does not boot: {error}")));
        kernel.inject(settings.injection);
        let Some(root) = kernel.current() else {
            unreachable!("a kernel that has booted runs its first thread");
        };
        if let Some(executable) = executable {
            kernel.machine_mut().adopt(&executable, layout.image.start);
        }
        let context = kernel.context_mut(root);
        let shared_storage = storage::base();
        let mut host_state = HostThreadState::new(0, shared_storage);
        if let Some(program) = &instance.program {
            program.load();
            unmodified::dispatch();
            instance.frame.unmodified = 1;
        } else {
            // The calling thread continues as the root server's.
            *context = instance.first.clone();
            let ipc_buffer = ptr::with_exposed_provenance_mut(layout.ipc_buffer);
            instance.frame.host.ipc_buffer.set(ipc_buffer);
            instance.frame.boot_info = ptr::with_exposed_provenance_mut(layout.boot_info);
        }
        instance.frame.fp = &raw mut *host_state.fp;
        let limit = (settings.watchdog > 0).then(|| Duration::from_secs(settings.watchdog));
        signals::enable_ticks(settings.kernel.mcs);
        Self {
            kernel,
            root,
            running: Some(root),
            is_mcs: settings.kernel.mcs,
            // A xorshift generator never leaves zero.
            seed: settings.kernel.seed.map(|seed| seed | 1 << 63),
            host_states: HashMap::from_iter([(root, host_state)]),
            shared_storage,
            alarms: BTreeSet::new(),
            _watch: signals::watch(limit),
        }
    }

    /// Saves the process's state of the running thread and loads that of `thread`.
    fn switch_to(&mut self, instance: &mut Instance, thread: ThreadId) {
        let frame = &mut instance.frame;
        let mut storage_now = self.shared_storage;
        if let Some(host_state) = self
            .running
            .and_then(|running| self.host_states.get_mut(&running))
        {
            storage_now = host_state.storage;
            host_state.ipc_buffer = frame.host.ipc_buffer.get();
            host_state.fp_restores = frame.fp_restores;
        }
        let tls = self.kernel.context(thread)[TLS_BASE];
        // A thread without an address space sees an empty one.
        let vspace = self.kernel.vspace(thread).unwrap_or(VSpaceId(0));
        self.kernel.machine_mut().show(vspace);
        let shared = self.shared_storage;
        let host_state = self
            .host_states
            .entry(thread)
            .or_insert_with(|| HostThreadState::new(tls, shared));
        if host_state.tls != tls {
            let lent = storage::lent(tls);
            host_state.tls = tls;
            host_state.storage = if lent.is_some() { tls } else { shared };
            host_state.ipc_buffer = lent.unwrap_or(host_state.ipc_buffer);
        }
        if host_state.storage != storage_now {
            // SAFETY: the storage is lent, or the host's own.
            unsafe { storage::change(host_state.storage) };
        }
        frame.host.ipc_buffer.set(host_state.ipc_buffer);
        frame.fp = &raw mut *host_state.fp;
        frame.fp_restores = host_state.fp_restores;
        self.running = Some(thread);
    }

    /// Handles the return of a thread without a system call through libsel4.
    fn handle_trap(&mut self, instance: &mut Instance, thread: ThreadId) {
        // The signal handler has saved the floating-point state, with which the thread continues.
        instance.frame.fp_restores = 1;
        match instance.frame.trap.take() {
            Some(Trap::Syscall) => {
                self.count_entry();
                let number = self.kernel.context(thread)[NUMBER];
                self.kernel.syscall(number as isize);
            }
            Some(Trap::Fault(fault)) if self.access_device(instance, thread, fault) => {}
            Some(Trap::Fault(fault)) => {
                self.count_entry();
                self.kernel.fault(fault);
                self.report_stack_overflow(thread, fault);
            }
            Some(Trap::Tick) => {
                self.advance_to_next_deadline();
            }
            Some(other) => {
                if let Some(end) = signals::end_for(other) {
                    self.end(end);
                }
            }
            None => {}
        }
    }

    /// Reports a stack overflow that no fault handler takes care of.
    fn report_stack_overflow(&mut self, thread: ThreadId, fault: Fault) {
        /// Distance from the stack pointer at which a function may access its frame.
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
                "thread `{name}` has used up its stack: no page is mapped at its stack pointer, {top:#x}\n\
                 help: give the thread a larger stack, or a fault handler"
            ));
        }
    }

    fn state(&self, thread: ThreadId) -> Option<ThreadState> {
        self.kernel
            .threads()
            .find(|view| view.id == thread)
            .map(|view| view.state)
    }

    fn idle_reason(&self, is_image: bool) -> End {
        let done = End::Done(MAIN_RESULT.load(Relaxed) as u8);
        match self.state(self.root) {
            // muslc's abort() halts the system.
            _ if self.kernel.is_halted() && is_image => End::Halted,
            _ if self.kernel.is_halted() => done,
            Some(ThreadState::Inactive) if self.kernel.machine().has_faulted(self.root) => {
                End::Fault
            }
            Some(ThreadState::Inactive) | None => done,
            Some(_) => End::Deadlock,
        }
    }

    /// Ends the process.
    fn end(&mut self, end: End) -> ! {
        self.kernel.machine_mut().flush();
        // The program's output comes before the report.
        // SAFETY: no seL4 thread runs any more.
        unsafe { libc::fflush(ptr::null_mut()) };
        end.report(&self.kernel);
        self.write_reports();
        end::exit(end.code())
    }

    /// Writes the reports that the user has asked for in the environment.
    fn write_reports(&self) {
        if std::env::var_os("SEL4_HOSTED_LEAKS").is_some_and(|value| value == "1") {
            let Holdings { slots, bytes } = self.kernel.holdings();
            end::say(&format!(
                "still held: {slots} slots, {bytes} bytes of untyped memory"
            ));
        }
        if let Some(file) = std::env::var_os("SEL4_HOSTED_GRAPH").filter(|file| !file.is_empty())
            && let Err(error) = std::fs::write(&file, self.kernel.graph())
        {
            end::say(&format!(
                "cannot write `{}`: {error}\nhelp: set SEL4_HOSTED_GRAPH to a file that you may write to",
                file.display()
            ));
        }
    }

    /// Ends the kernel and continues the root server's thread without it.
    fn leave(mut self, instance: &mut Instance) -> ! {
        end::set_reported_kernel(ptr::null());
        instance.first = self.kernel.context(self.root).clone();
        instance.frame.context = &raw mut instance.first;
        self.kernel.machine_mut().flush();
        self.write_reports();
        drop(self);
        // SAFETY: the thread continues behind its call and does not return here.
        unsafe { switch::enter(&raw mut instance.frame) };
        unreachable!("the kernel has ended")
    }
}

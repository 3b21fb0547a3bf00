// SPDX-License-Identifier: BSD-2-Clause

//! A kernel and its threads on one thread of the host.

use std::arch::asm;
use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use sel4_hosted_kernel::{
    Config, Context, Holdings, Image, Injection, Kernel, Labels, Region, Register, State, ThreadId,
    VSpaceId,
};
use sel4_hosted_libsel4::api::{Invocation, seL4_BootInfo, seL4_IPCBuffer};
use sel4_hosted_libsel4::{Host, config, install};

use crate::end::{self, End};
use crate::machine::Process;
use crate::signals::{self, Trouble};
use crate::stack::Stack;
use crate::switch::{self, FpState, Frame};
use crate::trace::Trace;

/// Where the IPC buffer and the BootInfo of the root server are mapped: far from where programs map
/// things, and from where Linux does.
const PLACE: usize = 0x2000_0000_0000;

/// Bytes of the host's own stack.
const HOST_STACK: usize = 8 << 20;

/// How long a thread may run without a kernel entry, in seconds of its own time.
const WATCHDOG_SECONDS: u64 = 60;

/// Kernel entries of all kernels of the process, for the watchdog.
static ENTRIES: AtomicU64 = AtomicU64::new(0);

/// The pseudo system call by which the root server's thread says that it is done.
const FINISH: isize = isize::MIN;

thread_local! {
    static BOOT_INFO: Cell<*mut seL4_BootInfo> = const { Cell::new(ptr::null_mut()) };
}

/// The BootInfo of the kernel in this thread of the host; null if there is none.
pub fn boot_info() -> *mut seL4_BootInfo {
    BOOT_INFO.get()
}

/// What the process keeps of a thread besides what the kernel does.
struct Side {
    /// What `seL4_SetIPCBuffer` has set.
    ipc_buffer: *mut seL4_IPCBuffer,
    /// The state of floating-point numbers, where it was interrupted.
    fp: Option<Box<FpState>>,
}

impl Default for Side {
    fn default() -> Self {
        Self {
            ipc_buffer: ptr::null_mut(),
            fp: None,
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
    fp: Box<FpState>,
    stack: Stack,
    _signals: Stack,
}

/// What a user may choose, in the environment.
struct Settings {
    kernel: Config,
    watchdog: u64,
    failing_retype: u64,
}

impl Settings {
    fn read() -> Self {
        let memory = number("SEL4_HOSTED_MEMORY_MIB").unwrap_or(64);
        let start = 0x100_0000;
        let mib = usize::try_from(memory)
            .ok()
            .and_then(|mib| mib.checked_mul(1 << 20));
        let end = mib
            .and_then(|bytes| bytes.checked_add(start))
            .unwrap_or(usize::MAX & !0xfff);
        let kernel = Config {
            memory: Region { start, end },
            // Where a PC has its devices.
            devices: vec![Region {
                start: 0xf000_0000,
                end: 0x1_0000_0000,
            }],
            root_cnode_bits: config::CONFIG_ROOT_CNODE_SIZE_BITS as u8,
            fan_out_limit: config::CONFIG_RETYPE_FAN_OUT_LIMIT,
            time_slice: config::CONFIG_TIME_SLICE as u32,
            seed: number("SEL4_HOSTED_SEED"),
            ..Config::default()
        };
        Self {
            kernel,
            watchdog: number("SEL4_HOSTED_WATCHDOG").unwrap_or(WATCHDOG_SECONDS),
            failing_retype: number("SEL4_HOSTED_FAIL_RETYPE").unwrap_or(0),
        }
    }
}

/// A number in the environment.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(_) => end::refuse(&format!(
            "{name} is `{text}`, which is no number\nhelp: leave it out, or give a number of 0 or more"
        )),
    }
}

/// Makes the calling thread the root server's thread of a fresh kernel: from here on it has
/// capabilities, an IPC buffer and a BootInfo, and libsel4's functions work. When it suspends itself,
/// the process ends, with the code that `main` returned if [`returned`] was told.
pub fn start() {
    Box::leak(World::new()).begin();
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
    let mut world = World::new();
    world.begin();
    /// Ends the kernel, also when the function panics.
    struct Finish(*mut World);
    impl Drop for Finish {
        fn drop(&mut self) {
            // SAFETY: the world lives until the function that made it ends.
            unsafe { (*self.0).call(FINISH) };
            // SAFETY: none is installed any more.
            unsafe { install(ptr::null()) };
            BOOT_INFO.set(ptr::null_mut());
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

/// Addresses by which threads bring the address of their IPC buffer along: the base of their
/// thread-local storage points to it.
static TLS_IMAGES: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());

/// A thread whose thread-local storage is at `base` finds the address of its IPC buffer there when it
/// begins to run.
pub fn keep_ipc_buffer_at(base: usize) {
    TLS_IMAGES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(base);
}

static MAIN_RETURNED: AtomicU64 = AtomicU64::new(0);

impl World {
    fn new() -> Box<Self> {
        let mut fp = Box::new(FpState([0; 4096]));
        let frame = Frame {
            host: Host {
                entry: switch::entry,
                ipc_buffer: Cell::new(ptr::null_mut()),
            },
            context: ptr::null_mut(),
            stack: 0,
            fp: &raw mut *fp,
            fp_restores: 0,
            in_thread: 0,
            // x87, SSE, AVX and AVX-512: as much as there is room for.
            fp_mask: 0xe7,
            trouble: None,
        };
        Box::new(Self {
            frame,
            // SAFETY: plain integers.
            first: unsafe { std::mem::zeroed() },
            settings: Settings::read(),
            fp,
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
            self.call(0);
        }
    }

    /// A system call that is none.
    ///
    /// # Safety
    ///
    /// The host is where it can take it.
    unsafe fn call(&mut self, number: isize) {
        // SAFETY: `entry` keeps what is not named here.
        unsafe {
            asm!(
                "call [rax]",
                inout("rax") &raw mut self.frame => _,
                inout("rdx") number => _,
                clobber_abi("C"),
            );
        }
    }
}

/// What the host does, on its own stack.
unsafe extern "C" fn main(frame: *mut Frame) -> ! {
    // SAFETY: a frame is the beginning of a world.
    let world = unsafe { &mut *frame.cast::<World>() };
    let mut platform = Platform::boot(world);
    loop {
        let Platform { kernel, .. } = &mut platform;
        ENTRIES.store(ENTRIES.load(Relaxed).wrapping_add(1), Relaxed);
        if let Some(end) = signals::pending().and_then(signals::end_of) {
            platform.end(end);
        }
        let Some(thread) = kernel.current() else {
            let end = platform.why_nobody_runs();
            platform.end(end);
        };
        if platform.running != Some(thread) {
            platform.switch_to(world, thread);
        }
        let kernel = &mut platform.kernel;
        world.frame.context = kernel.context_mut(thread);
        // SAFETY: the thread's registers are as it left them, or as another thread wants them.
        match unsafe { switch::enter(frame) } {
            switch::SYSCALL => match kernel.context(thread)[Register::Rdx] as isize {
                FINISH => break,
                number => kernel.syscall(number),
            },
            _ => platform.trouble(world, thread),
        }
    }
    platform.leave(world)
}

/// A kernel, and what the process keeps of its threads.
struct Platform {
    kernel: Kernel<Process>,
    root: ThreadId,
    root_failed: bool,
    running: Option<ThreadId>,
    sides: HashMap<ThreadId, Side>,
    vspace: VSpaceId,
}

impl Platform {
    fn boot(world: &mut World) -> Self {
        let labels = Invocation::ALL.into_iter().filter_map(|invocation| {
            let name = format!("{invocation:?}");
            let known = sel4_hosted_kernel::Invocation::ALL
                .iter()
                .find(|known| known.name() == name)?;
            Some((invocation as usize, *known))
        });
        let image = Image {
            vaddrs: Region {
                start: PLACE,
                end: PLACE,
            },
            entry: 0,
            extra: Vec::new(),
        };
        let settings = &world.settings;
        let machine = Process::new(settings.kernel.memory, Trace::wanted());
        let (mut kernel, layout) =
            Kernel::boot(machine, &settings.kernel, Labels::new(labels), &image)
                .unwrap_or_else(|error| end::refuse(&format!("the kernel does not boot: {error}")));
        kernel.inject(Injection {
            failing_retype: settings.failing_retype,
        });
        let Some(root) = kernel.current() else {
            unreachable!("a kernel that has booted runs its first thread");
        };
        // The thread that asked for all this goes on as the root server's.
        let context = kernel.context_mut(root);
        *context = world.first.clone();
        world
            .frame
            .host
            .ipc_buffer
            .set(ptr::with_exposed_provenance_mut(layout.ipc_buffer));
        BOOT_INFO.set(ptr::with_exposed_provenance_mut(layout.boot_info));
        if settings.watchdog > 0 {
            signals::watch(&ENTRIES, settings.watchdog);
        }
        Self {
            kernel,
            root,
            root_failed: false,
            running: Some(root),
            sides: HashMap::from([(root, Side::default())]),
            vspace: layout.vspace,
        }
    }

    /// Gives the process what belongs to a thread, and keeps what belongs to the one before.
    fn switch_to(&mut self, world: &mut World, thread: ThreadId) {
        let ipc_buffer = &world.frame.host.ipc_buffer;
        if let Some(side) = self
            .running
            .and_then(|running| self.sides.get_mut(&running))
        {
            side.ipc_buffer = ipc_buffer.get();
        }
        let side = self.sides.entry(thread).or_insert_with(|| {
            if self.kernel.vspace(thread).is_some_and(|vspace| vspace != self.vspace) {
                end::refuse(&format!(
                    "thread `{}` has an address space of its own, which the hosted platform does not have yet",
                    self.kernel.name(thread)
                ));
            }
            let tls = self.kernel.context(thread)[Register::FsBase];
            let brings = TLS_IMAGES.lock().unwrap_or_else(PoisonError::into_inner).contains(&tls);
            let at = ptr::with_exposed_provenance::<*mut seL4_IPCBuffer>(tls);
            // SAFETY: where it was told to be.
            let ipc_buffer = if brings { unsafe { at.read() } } else { ptr::null_mut() };
            Side { ipc_buffer, fp: None }
        });
        ipc_buffer.set(side.ipc_buffer);
        if let Some(fp) = side.fp.take() {
            world.fp = fp;
            world.frame.fp = &raw mut *world.fp;
            world.frame.fp_restores = 1;
        }
        self.running = Some(thread);
    }

    /// A thread has come back without a system call.
    fn trouble(&mut self, world: &mut World, thread: ThreadId) {
        let trouble = world.frame.trouble.take();
        match trouble {
            Some(Trouble::Fault(fault)) => {
                // What was saved belongs to this thread, and is restored when it goes on.
                let side = self.sides.entry(thread).or_default();
                let fp = std::mem::replace(&mut world.fp, Box::new(FpState([0; 4096])));
                world.frame.fp = &raw mut *world.fp;
                side.fp = Some(fp);
                side.ipc_buffer = world.frame.host.ipc_buffer.get();
                self.running = None;
                self.kernel.fault(fault);
                if thread == self.root && self.state(thread) == Some(State::Inactive) {
                    self.root_failed = true;
                }
            }
            Some(other) => {
                if let Some(end) = signals::end_of(other) {
                    self.end(end);
                }
            }
            None => {}
        }
    }

    fn state(&self, thread: ThreadId) -> Option<State> {
        self.kernel
            .threads()
            .find(|view| view.id == thread)
            .map(|view| view.state)
    }

    fn why_nobody_runs(&self) -> End {
        let done = End::Done(MAIN_RETURNED.load(Relaxed) as u8);
        match self.state(self.root) {
            _ if self.kernel.is_halted() => done,
            Some(State::Inactive) if self.root_failed => End::Fault,
            Some(State::Inactive) | None => done,
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

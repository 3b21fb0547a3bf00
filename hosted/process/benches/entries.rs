// SPDX-License-Identifier: BSD-2-Clause

//! Kernel entries per second: `cargo bench`.

use std::time::Instant;

use libsel4::libsel4_sys::{
    seL4_BootInfo, seL4_CapInitThreadCNode, seL4_CapInitThreadTCB, seL4_CapInitThreadVSpace,
    seL4_MaxPrio, seL4_MessageInfo_new, seL4_ReplyRecv, seL4_SetIPCBuffer, seL4_TCB_Configure,
    seL4_TCB_Resume, seL4_TCB_SetPriority, seL4_TCB_WriteRegisters, seL4_UserContext, seL4_Yield,
};
use libsel4::{
    Allocator, BootInfo, Cap, CapRights, Endpoint, MessageInfo, SmallPage, Tcb, VmAttributes,
};

const BUFFER: usize = 0x1000_0000;
const COUNT: u32 = 1_000_000;

fn main() {
    sel4_hosted::run(|info| {
        // SAFETY: system calls that access no memory.
        measure("system calls that do nothing", || unsafe { seL4_Yield() });
        // SAFETY: as above.
        measure("invocations that do nothing", || unsafe {
            seL4_TCB_Resume(seL4_CapInitThreadTCB);
        });
        let endpoint = server(info);
        measure("calls and replies, 0 words", || {
            endpoint.call(MessageInfo::new(0, 0, 0, 0));
        });
        measure("calls and replies, 4 words", || {
            endpoint.call(MessageInfo::new(0, 0, 0, 4));
        });
        measure("calls and replies, 20 words", || {
            endpoint.call(MessageInfo::new(0, 0, 0, 20));
        });
    });
}

fn measure(what: &str, mut each: impl FnMut()) {
    let start = Instant::now();
    for _ in 0..COUNT {
        each();
    }
    let rate = f64::from(COUNT) / start.elapsed().as_secs_f64();
    println!("{what:<32} {rate:>12.0} per second");
}

/// Starts a thread that replies to each call with the message received.
fn server(info: &seL4_BootInfo) -> Cap<Endpoint> {
    // SAFETY: the BootInfo is the kernel's; no other thread uses the stack and the IPC buffer.
    unsafe {
        let info = BootInfo::from_ptr(info);
        let mut objects = Allocator::new(&info);
        let endpoint: Cap<Endpoint> = objects.make().unwrap();
        let page: Cap<SmallPage> = objects.make().unwrap();
        let rights = CapRights::READ_WRITE;
        objects
            .map_page(info.vspace(), page, BUFFER, rights, VmAttributes::DATA)
            .unwrap();
        let tcb: Cap<Tcb> = objects.make().unwrap();
        let stack = Box::leak(vec![0_u128; 4096].into_boxed_slice())
            .as_mut_ptr_range()
            .end;
        let (cnode, vspace) = (seL4_CapInitThreadCNode, seL4_CapInitThreadVSpace);
        seL4_TCB_Configure(tcb.word(), 0, cnode, 0, vspace, 0, BUFFER, page.word());
        seL4_TCB_SetPriority(tcb.word(), seL4_CapInitThreadTCB, seL4_MaxPrio);
        #[cfg(target_arch = "aarch64")]
        let mut context = seL4_UserContext {
            pc: serve as *const () as usize,
            sp: stack.addr(),
            x0: endpoint.word(),
            ..Default::default()
        };
        #[cfg(target_arch = "x86_64")]
        let mut context = seL4_UserContext {
            rip: serve as *const () as usize,
            rsp: stack.addr() - 8,
            rdi: endpoint.word(),
            ..Default::default()
        };
        seL4_TCB_WriteRegisters(tcb.word(), 1, 0, REGISTERS, &raw mut context);
        endpoint
    }
}

/// Number of registers of a thread.
const REGISTERS: usize = size_of::<seL4_UserContext>() / size_of::<usize>();

extern "C" fn serve(endpoint: usize) -> ! {
    // SAFETY: the IPC buffer is mapped there.
    unsafe {
        seL4_SetIPCBuffer(std::ptr::with_exposed_provenance_mut(BUFFER));
        let mut badge = 0;
        let mut info = libsel4::libsel4_sys::seL4_Recv(endpoint, &raw mut badge);
        loop {
            let length = info.words[0] & 0x7f;
            info = seL4_ReplyRecv(
                endpoint,
                seL4_MessageInfo_new(0, 0, 0, length),
                &raw mut badge,
            );
        }
    }
}

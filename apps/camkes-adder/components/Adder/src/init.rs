// SPDX-License-Identifier: BSD-2-Clause

/// Says that the instance is there. CAmkES calls this function, which a component may leave out, before its interfaces
/// run.
#[unsafe(no_mangle)]
pub extern "C" fn post_init() {
    log::info!("an adder is ready");
}

// SPDX-License-Identifier: BSD-2-Clause
//! The root server as a Linux program, for `cargo run`: the model of the kernel calls it.

fn main() -> std::process::ExitCode {
    sel4_hosted::root_server(|info| root_server::sel4_main(info))
}

// SPDX-License-Identifier: BSD-2-Clause

//! Uses parts of std that seL4 has nothing for, each in a function of its own, which the report names: none is inlined.

use std::io;
use std::net::{TcpStream, UdpSocket};
use std::process::Command;

/// Asks for everything, and counts what is refused.
#[unsafe(no_mangle)]
pub extern "C" fn lacking_all() -> u32 {
    let wishes = [connects, resolves, starts, makes_a_folder, writes_a_file];
    wishes.iter().filter(|wish| wish().is_err()).count() as u32
}

#[inline(never)]
fn connects() -> io::Result<()> {
    UdpSocket::bind("127.0.0.1:7")?;
    TcpStream::connect("127.0.0.1:7").map(drop)
}

#[inline(never)]
fn resolves() -> io::Result<()> {
    TcpStream::connect("sel4.systems:443").map(drop)
}

#[inline(never)]
fn starts() -> io::Result<()> {
    Command::new("true").status().map(drop)
}

#[inline(never)]
fn makes_a_folder() -> io::Result<()> {
    std::fs::create_dir("folder")
}

#[inline(never)]
fn writes_a_file() -> io::Result<()> {
    std::fs::write("file", "text")
}

// SPDX-License-Identifier: GPL-2.0-only

//! Writes random sequences of system calls for a root server: `sequences FILE COUNT STEPS [mcs]`.

use std::{env, fs, io};

#[path = "../tests/common/steps.rs"]
mod steps;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().collect();
    let (file, count, length, mcs) = match &arguments[..] {
        [_, file, count, length] => (file, count, length, false),
        [_, file, count, length, mcs] if mcs == "mcs" => (file, count, length, true),
        _ => return Err(io::Error::other("usage: sequences FILE COUNT STEPS [mcs]")),
    };
    let number = |text: &String| text.parse::<u64>().map_err(io::Error::other);
    let (count, length) = (number(count)?, number(length)?);
    let mut words = Vec::new();
    for seed in 0..count {
        for step in steps::Generator::sequence(seed, length as usize, mcs) {
            step.encode(&mut words);
        }
    }
    words.push(0);
    let bytes: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
    fs::write(file, bytes)
}

// SPDX-License-Identifier: BSD-2-Clause

//! Reader for the loadable segments of an ELF file.

use sel4_hosted::unmodified::{Program, Segment};

/// Values of the ELF specification: 64 bits, little endian; an executable at fixed addresses; x86_64.
const MAGIC: &[u8] = b"\x7fELF\x02\x01";
const EXECUTABLE: usize = 2;
const X86_64: usize = 62;
const LOAD: usize = 1;

/// Largest segment that is accepted.
const MOST_BYTES: usize = 1 << 30;

/// Reads a program. The error completes the sentence that begins with the file's name.
pub fn read(file: &[u8]) -> Result<Program, &'static str> {
    if file.get(..6) != Some(MAGIC) {
        return Err("is not a 64-bit ELF file");
    }
    let cut = "is truncated";
    if field(file, 18, 2).ok_or(cut)? != X86_64 {
        return Err("is not for x86_64");
    }
    if field(file, 16, 2).ok_or(cut)? != EXECUTABLE {
        return Err("is not an executable at fixed addresses");
    }
    let mut program = Program {
        entry: field(file, 24, 8).ok_or(cut)?,
        ..Program::default()
    };
    let (table, size, count) = (field(file, 32, 8), field(file, 54, 2), field(file, 56, 2));
    let (table, size, count) = (table.ok_or(cut)?, size.ok_or(cut)?, count.ok_or(cut)?);
    for index in 0..count {
        let header = table
            .checked_add(index * size)
            .and_then(|at| file.get(at..))
            .ok_or(cut)?;
        if field(header, 0, 4).ok_or(cut)? != LOAD {
            continue;
        }
        let part = |at| field(header, at, 8).ok_or(cut);
        let (offset, address, length, bytes) = (part(8)?, part(16)?, part(32)?, part(40)?);
        let content = offset
            .checked_add(length)
            .and_then(|end| file.get(offset..end))
            .ok_or(cut)?;
        if bytes > MOST_BYTES || length > bytes || address.checked_add(bytes).is_none() {
            return Err("has a segment of more than 1 GiB, or of impossible size");
        }
        program.segments.push(Segment {
            address,
            content: content.into(),
            bytes,
        });
    }
    if program.segments.is_empty() {
        return Err("has no loadable segment");
    }
    Ok(program)
}

/// Reads a number of `bytes` bytes at offset `at`.
fn field(file: &[u8], at: usize, bytes: usize) -> Option<usize> {
    let mut number = [0; 8];
    number[..bytes].copy_from_slice(file.get(at..at.checked_add(bytes)?)?);
    Some(u64::from_le_bytes(number) as usize)
}

#[cfg(test)]
mod tests {
    use super::read;

    /// Makes a file with one segment of three bytes.
    fn file() -> Vec<u8> {
        let mut file = vec![0; 64 + 56 + 3];
        file[..6].copy_from_slice(super::MAGIC);
        file[16] = 2;
        file[18] = 62;
        file[24..27].copy_from_slice(&[0x10, 0, 0x40]);
        file[32] = 64;
        file[54] = 56;
        file[56] = 1;
        file[64] = 1;
        file[64 + 8] = 120;
        file[64 + 16..64 + 19].copy_from_slice(&[0, 0, 0x40]);
        file[64 + 32] = 3;
        file[64 + 40] = 9;
        file[120..].copy_from_slice(b"abc");
        file
    }

    #[test]
    fn a_program_is_read() {
        let program = read(&file()).unwrap();
        assert_eq!((program.entry, program.segments.len()), (0x40_0010, 1));
        let segment = &program.segments[0];
        assert_eq!(
            (segment.address, &segment.content[..], segment.bytes),
            (0x40_0000, &b"abc"[..], 9)
        );
    }

    #[test]
    fn truncated_and_foreign_files_are_refused() {
        for length in 0..file().len() {
            assert!(read(&file()[..length]).is_err(), "{length}");
        }
        for (at, value) in [
            (0, 0),
            (4, 1),
            (16, 3),
            (18, 183),
            (64 + 8, 255),
            (64 + 15, 255),
            (64 + 47, 255),
            (64, 2),
        ] {
            let mut file = file();
            file[at] = value;
            assert!(read(&file).is_err(), "{at}");
        }
    }
}

// SPDX-License-Identifier: BSD-2-Clause

//! The thread pointer of aarch32, read from its register instead of by a call.
//!
//! The thread pointer leads to the IPC buffer. GCC reads the register. LLVM calls `__aeabi_read_tp` unless a feature is
//! on that rustc has no stable name for, and muslc's function takes five instructions. Here each call becomes the one
//! instruction that GCC uses, as a linker relaxes code: both have four bytes, put their result into `r0` and preserve
//! the other registers that a call preserves.

use std::borrow::Cow;

use object::elf::{EM_ARM, FileHeader32, R_ARM_CALL, R_ARM_NONE, SHT_SYMTAB};
use object::pod::{bytes_of, from_bytes};
use object::read::elf::{FileHeader, Rel, SectionHeader, Sym};
use object::{Endianness, FileKind, U32};

/// Name of the function in Arm's run-time ABI.
const FUNCTION: &[u8] = b"__aeabi_read_tp";

/// Upper byte of an unconditional `bl`.
const BL: u32 = 0xeb;

/// `mrc p15, 0, r0, c13, c0, 3`: r0 = TPIDRURO.
const MRC: u32 = 0xee1d_0f70;

/// Replaces the calls in an object. Code for Thumb and objects other than ELF for aarch32 stay as they are.
///
/// # Errors
///
/// When the object is truncated.
pub fn leave_out(data: &mut Cow<'_, [u8]>) -> object::Result<()> {
    if !matches!(FileKind::parse(&**data), Ok(FileKind::Elf32)) {
        return Ok(());
    }
    for (at, bytes) in changes(data)? {
        data.to_mut()[at..at + bytes.len()].copy_from_slice(&bytes);
    }
    Ok(())
}

/// Returns the bytes to write, each with its offset.
fn changes(data: &[u8]) -> object::Result<Vec<(usize, Vec<u8>)>> {
    let header = FileHeader32::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let mut changes = Vec::new();
    if header.e_machine(endian) != EM_ARM {
        return Ok(changes);
    }
    let sections = header.sections(endian, data)?;
    let symbols = sections.symbols(endian, data, SHT_SYMTAB)?;
    for section in sections.iter() {
        let Some((relocations, _)) = section.rel(endian, data)? else {
            continue;
        };
        let of = sections.section(section.info_link(endian))?;
        let code = of.data(endian, data)?;
        for (number, relocation) in relocations.iter().enumerate() {
            let Some(symbol) = relocation.symbol(endian) else {
                continue;
            };
            let name = symbols.symbol(symbol)?.name(endian, symbols.strings())?;
            if name != FUNCTION || relocation.r_type(endian) != R_ARM_CALL {
                continue;
            }
            let offset = relocation.r_offset(endian) as usize;
            let instruction = code.get(offset..).unwrap_or_default();
            let instruction = from_bytes::<U32<Endianness>>(instruction);
            if !instruction.is_ok_and(|(word, _)| word.get(endian) >> 24 == BL) {
                continue;
            }
            let at = of.sh_offset(endian) as usize + offset;
            changes.push((at, bytes_of(&U32::new(endian, MRC)).to_vec()));
            let mut nothing = *relocation;
            // Without a relocation nothing keeps the function in the image.
            nothing.r_info.set(endian, R_ARM_NONE);
            let at = section.sh_offset(endian) as usize + number * size_of_val(relocation);
            changes.push((at, bytes_of(&nothing).to_vec()));
        }
    }
    Ok(changes)
}

// SPDX-License-Identifier: BSD-2-Clause

//! The thread pointer of aarch32, read from its register instead of by a call.
//!
//! It leads to the IPC buffer. GCC reads the register. LLVM calls `__aeabi_read_tp` unless a feature is on that rustc
//! has no stable name for, and muslc's function takes five instructions for the same. So each call becomes that one
//! instruction, as a linker relaxes code: both have four bytes, have their result in `r0` and keep the other registers
//! that a call keeps.

use std::borrow::Cow;

use object::elf::{EM_ARM, FileHeader32, R_ARM_CALL, R_ARM_NONE, SHT_SYMTAB};
use object::pod::{bytes_of, from_bytes};
use object::read::elf::{FileHeader, Rel, SectionHeader, Sym};
use object::{Endianness, FileKind, U32};

/// The function of Arm's run-time ABI.
const FUNCTION: &[u8] = b"__aeabi_read_tp";

/// The upper byte of `bl`, to anywhere and on no condition.
const BL: u32 = 0xeb;

/// `mrc p15, 0, r0, c13, c0, 3`: r0 = TPIDRURO.
const MRC: u32 = 0xee1d_0f70;

/// Changes the calls in an object. What is no ELF object for aarch32 stays as it is, and so does code for Thumb.
///
/// # Errors
///
/// When the object is cut off.
pub fn leave_out(data: &mut Cow<'_, [u8]>) -> object::Result<()> {
    if !matches!(FileKind::parse(&**data), Ok(FileKind::Elf32)) {
        return Ok(());
    }
    for (at, bytes) in changes(data)? {
        data.to_mut()[at..at + bytes.len()].copy_from_slice(&bytes);
    }
    Ok(())
}

/// What changes, and where it stands.
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
            // Of no symbol, so that nothing keeps the function in the image.
            nothing.r_info.set(endian, R_ARM_NONE);
            let at = section.sh_offset(endian) as usize + number * size_of_val(relocation);
            changes.push((at, bytes_of(&nothing).to_vec()));
        }
    }
    Ok(changes)
}

// SPDX-License-Identifier: BSD-2-Clause

//! Removal of the code in std that finds the names of a backtrace's frames.
//!
//! The default message of a panic reaches a reader of DWARF, with a decompressor and much else, half of the code that std
//! adds to a small image. On seL4 there is no file of the program, so that it never finds a name. Here calls of it, and of
//! what would write such names, become calls of an empty function in libsel4-rt, and the linker then leaves it out. Both must
//! be in one object, as link-time optimisation puts them.

use std::borrow::Cow;

use object::elf::{
    EM_X86_64, FileHeader64, R_X86_64_PC32, R_X86_64_PLT32, Rela64, SHF_EXECINSTR, SHT_SYMTAB,
    STT_FUNC, STT_SECTION,
};
use object::pod::bytes_of;
use object::read::elf::{FileHeader, Rela, SectionHeader, Sym};
use object::{Endianness, FileKind, SectionIndex, SymbolIndex};

use super::names::demangled;

/// Name of the empty function.
const NOTHING: &[u8] = b"sel4_rust_symbolizes_nothing";

/// Paths of the functions in std, without `<` and `>`. The first two return no value; the others write a name that those found,
/// so that nothing calls them once there is none.
const SYMBOLIZER: [&str; 4] = [
    "std::backtrace_rs::symbolize::gimli::resolve",
    "std::backtrace_rs::symbolize::gimli::Cache::with_global",
    "std::backtrace_rs::symbolize::SymbolName as core::fmt::Display::fmt",
    "std::sys::backtrace::output_filename",
];

/// Redirects the calls in an object. Objects other than ELF of 64 bits, or without both functions, stay as they are.
///
/// # Errors
///
/// When the object is truncated.
pub fn leave_out(data: &mut Cow<'_, [u8]>) -> object::Result<()> {
    if !matches!(FileKind::parse(&**data), Ok(FileKind::Elf64)) {
        return Ok(());
    }
    for (at, relocation) in changes(data)? {
        let bytes = bytes_of(&relocation);
        data.to_mut()[at..at + bytes.len()].copy_from_slice(bytes);
    }
    Ok(())
}

/// Returns the relocations to write, each with its offset.
fn changes(data: &[u8]) -> object::Result<Vec<(usize, Rela64<Endianness>)>> {
    let header = FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, data)?;
    let symbols = sections.symbols(endian, data, SHT_SYMTAB)?;
    let mut changes = Vec::new();

    let mut nothing = None;
    let mut functions: Vec<(SectionIndex, SymbolIndex, u64)> = Vec::new();
    for (index, symbol) in symbols.enumerate() {
        let Some(section) = symbols.symbol_section(endian, symbol, index)? else {
            continue;
        };
        let name = symbol.name(endian, symbols.strings())?;
        if name == NOTHING {
            nothing = Some(index);
        } else if symbol.st_type() == STT_FUNC && is_symbolizer(name) {
            functions.push((section, index, symbol.st_value(endian)));
        }
    }
    let Some(nothing) = nothing else {
        return Ok(changes);
    };
    for section in sections.iter() {
        let Some((relocations, _)) = section.rela(endian, data)? else {
            continue;
        };
        // Tables for unwinding describe the function itself and do not count as calls.
        let of = section.info_link(endian);
        let code = sections.section(of)?.sh_flags(endian) & u64::from(SHF_EXECINSTR) != 0;
        if !code || functions.iter().any(|(own, _, _)| *own == of) {
            continue;
        }
        for (number, relocation) in relocations.iter().enumerate() {
            let Some(used) = relocation.symbol(endian, false) else {
                continue;
            };
            let symbol = symbols.symbol(used)?;
            let place = symbols.symbol_section(endian, symbol, used)?;
            // The symbol of a section stands for all functions in it; the addend tells them apart.
            let target = relocation.r_addend(endian).wrapping_add(behind(
                header.e_machine(endian),
                relocation.r_type(endian, false),
            ));
            let section_symbol = symbol.st_type() == STT_SECTION;
            let start = functions.iter().find_map(|(section, index, start)| {
                (*index == used).then_some(0).or((section_symbol
                    && place == Some(*section)
                    && target == *start as i64)
                    .then_some(*start))
            });
            if let Some(start) = start {
                let mut changed = *relocation;
                let info = (nothing.0 as u64) << 32 | u64::from(relocation.r_type(endian, false));
                changed.r_info.set(endian, info);
                changed.r_addend.set(
                    endian,
                    relocation.r_addend(endian).wrapping_sub(start as i64),
                );
                let size = size_of::<Rela64<Endianness>>();
                changes.push((section.sh_offset(endian) as usize + number * size, changed));
            }
        }
    }
    Ok(changes)
}

/// Distance that an addend leaves out: x86_64 counts a call's target from the end of the instruction, 4 bytes on.
fn behind(machine: u16, relocation: u32) -> i64 {
    match (machine, relocation) {
        (EM_X86_64, R_X86_64_PC32 | R_X86_64_PLT32) => 4,
        _ => 0,
    }
}

fn is_symbolizer(name: &[u8]) -> bool {
    if !name.windows(9).any(|part| part == b"backtrace") {
        return false;
    }
    let path = demangled(name).replace(['<', '>'], "");
    SYMBOLIZER.iter().any(|known| {
        let rest = path.strip_prefix(known);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_symbolizer_is_known_by_name() {
        let display = b"_RNvXs2_NtNtCs3vIF18vCiwS_3std12backtrace_rs9symbolizeNtB5_10SymbolNameNtNtCsbvRmXfgETkR_4core3fmt7Display3fmt";
        assert!(is_symbolizer(display));
        let cache = b"_RINvMs0_NtNtNtCs3vIF18vCiwS_3std12backtrace_rs9symbolize5gimliNtB6_5Cache11with_globalNCNvB6_7resolves_0EBc_";
        assert!(is_symbolizer(cache));
        assert!(is_symbolizer(
            b"_ZN3std12backtrace_rs9symbolize5gimli7resolve17h508bc0237af9918dE"
        ));
        assert!(!is_symbolizer(
            b"_ZN3std12backtrace_rs9symbolize6Symbol4name17h508bc0237af9918dE"
        ));
        assert!(is_symbolizer(
            b"_RNvNtNtCs3vIF18vCiwS_3std3sys9backtrace15output_filename"
        ));
        assert!(!is_symbolizer(b"backtrace"));
    }
}

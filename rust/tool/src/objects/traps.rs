// SPDX-License-Identifier: BSD-2-Clause

//! Instructions that enter the kernel, in the code of a Rust archive.
//!
//! libsel4's functions are C: on its way into the kernel, Rust calls them, or has them inlined after this check. A crate
//! with such an instruction of its own was written for Linux, and seL4 takes the number of Linux for one of its own system
//! calls.
//!
//! | architecture | instructions | found by |
//! |---|---|---|
//! | aarch64, arm | `svc` | words and halfwords, where the mapping symbols `$x`, `$a`, `$t` say that there is code |
//! | riscv | `ecall` | the lengths of instructions |
//! | x86 | `syscall`, `sysenter`, `int N` | disassembly of functions in which their bytes occur |

use std::collections::HashMap;

use iced_x86::{Decoder, DecoderOptions, Mnemonic};
use object::{
    Architecture, Object, ObjectSection, ObjectSymbol, SectionFlags, SectionIndex, SymbolKind,
};

use super::names::demangled;

/// An instruction that enters the kernel.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Trap {
    /// Demangled name of the function, or the name of the section if none is known.
    pub function: String,
    /// Mnemonic.
    pub instruction: &'static str,
}

/// Lists the instructions in `data` that enter the kernel, one for each function and mnemonic. Data other than an ELF object
/// has none.
pub(super) fn of(data: &[u8]) -> Vec<Trap> {
    let Ok(object) = object::File::parse(data) else {
        return Vec::new();
    };
    let mut traps = Vec::new();
    let mut all_marks = Marks::of_sections(&object);
    for section in object.sections().filter(is_code) {
        let Ok(code) = section.data() else {
            continue;
        };
        let marks = all_marks.remove(&section.index()).unwrap_or_default();
        for (at, instruction) in found(object.architecture(), code, &marks) {
            let function = marks.function(at).map_or_else(
                || section.name().unwrap_or_default().to_owned(),
                |name| demangled(name.as_bytes()),
            );
            traps.push(Trap {
                function,
                instruction,
            });
        }
    }
    traps.sort();
    traps.dedup();
    traps
}

fn is_code<'data>(section: &impl ObjectSection<'data>) -> bool {
    let code = u64::from(object::elf::SHF_EXECINSTR);
    matches!(section.flags(), SectionFlags::Elf { sh_flags } if sh_flags & code != 0)
}

/// Content of a stretch of a section, as a mapping symbol says.
#[derive(Clone, Copy, PartialEq)]
enum Content {
    Code,
    Thumb,
    Data,
}

/// Symbols of one section, in the order of their addresses.
#[derive(Default)]
struct Marks<'a> {
    contents: Vec<(u64, Content)>,
    functions: Vec<(u64, &'a str)>,
}

impl<'a> Marks<'a> {
    fn of_sections(object: &object::File<'a>) -> HashMap<SectionIndex, Self> {
        let mut all: HashMap<SectionIndex, Self> = HashMap::new();
        for symbol in object.symbols() {
            let (Some(section), Ok(name)) = (symbol.section_index(), symbol.name()) else {
                continue;
            };
            let marks = all.entry(section).or_default();
            let content = match name.split('.').next() {
                Some("$d") => Content::Data,
                Some("$t") => Content::Thumb,
                // RISC-V appends the instruction set.
                Some(name) if name == "$a" || name.starts_with("$x") => Content::Code,
                _ => {
                    // The lowest bit of a Thumb function's address is set.
                    if symbol.kind() == SymbolKind::Text {
                        marks.functions.push((symbol.address() & !1, name));
                    }
                    continue;
                }
            };
            marks.contents.push((symbol.address(), content));
        }
        for marks in all.values_mut() {
            marks.contents.sort_by_key(|(at, _)| *at);
            marks.functions.sort_unstable();
        }
        all
    }

    /// Stretches of code, and whether they are in Thumb.
    fn stretches<'c>(&self, code: &'c [u8]) -> impl Iterator<Item = (usize, &'c [u8], bool)> {
        let mut contents = self.contents.clone();
        if contents.first().is_none_or(|(at, _)| *at > 0) {
            contents.insert(0, (0, Content::Code));
        }
        let ends: Vec<usize> = (contents.iter().skip(1))
            .map(|(at, _)| *at as usize)
            .chain([code.len()])
            .collect();
        contents
            .into_iter()
            .zip(ends)
            .filter(|((_, content), _)| *content != Content::Data)
            .filter_map(move |((start, content), end)| {
                let start = start as usize;
                Some((start, code.get(start..end)?, content == Content::Thumb))
            })
    }

    /// Name of the function that contains the offset `at`.
    fn function(&self, at: usize) -> Option<&'a str> {
        let next = (self.functions).partition_point(|(start, _)| *start <= at as u64);
        Some(self.functions.get(next.checked_sub(1)?)?.1)
    }
}

/// Lists the offsets of instructions in `code` that enter the kernel.
fn found(architecture: Architecture, code: &[u8], marks: &Marks<'_>) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for (start, code, thumb) in marks.stretches(code) {
        let offsets = match architecture {
            Architecture::Aarch64 => at_each(code, |_| 4, is_svc_of_aarch64),
            Architecture::Arm if thumb => at_each(code, length_of_thumb, |code| code[1] == 0xdf),
            Architecture::Arm => at_each(code, |_| 4, is_svc_of_arm),
            Architecture::Riscv32 | Architecture::Riscv64 => {
                at_each(code, length_of_riscv, |code| code.starts_with(&ECALL))
            }
            Architecture::X86_64 | Architecture::I386 => {
                let bits = if architecture == Architecture::I386 {
                    32
                } else {
                    64
                };
                in_x86(bits, start, code, marks, &mut found);
                continue;
            }
            _ => continue,
        };
        let name = if matches!(architecture, Architecture::Aarch64 | Architecture::Arm) {
            "svc"
        } else {
            "ecall"
        };
        found.extend(offsets.into_iter().map(|at| (start + at, name)));
    }
    found
}

/// Walks over the instructions in `code`, and lists those that `is_trap` accepts.
fn at_each(
    code: &[u8],
    length: impl Fn(&[u8]) -> usize,
    is_trap: impl Fn(&[u8]) -> bool,
) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = code.get(at..).filter(|rest| rest.len() >= 2) {
        let length = length(rest);
        if rest.len() >= length && is_trap(&rest[..length]) {
            found.push(at);
        }
        at += length;
    }
    found
}

const ECALL: [u8; 4] = 0x0000_0073_u32.to_le_bytes();

fn is_svc_of_aarch64(code: &[u8]) -> bool {
    code[3] == 0xd4 && code[2] & 0xe0 == 0 && code[0] & 0x1f == 1
}

/// The condition 15 belongs to other instructions.
fn is_svc_of_arm(code: &[u8]) -> bool {
    code[3] & 0x0f == 0x0f && code[3] != 0xff
}

fn length_of_thumb(code: &[u8]) -> usize {
    if code[1] >= 0xe8 { 4 } else { 2 }
}

fn length_of_riscv(code: &[u8]) -> usize {
    if code[0] & 3 == 3 { 4 } else { 2 }
}

/// Disassembles those functions in `code` that contain the bytes of such an instruction.
fn in_x86(
    bits: u32,
    start: usize,
    code: &[u8],
    marks: &Marks<'_>,
    found: &mut Vec<(usize, &'static str)>,
) {
    let mut starts: Vec<usize> = (marks.functions.iter())
        .filter_map(|(at, _)| (*at as usize).checked_sub(start))
        .filter(|at| *at < code.len())
        .collect();
    starts.insert(0, 0);
    starts.push(code.len());
    starts.dedup();
    for ends in starts.windows(2) {
        let function = &code[ends[0]..ends[1]];
        let candidate = |bytes: &[u8]| matches!(bytes, [0x0f, 0x05 | 0x34] | [0xcd, _]);
        if !function.windows(2).any(candidate) {
            continue;
        }
        let mut decoder = Decoder::new(bits, function, DecoderOptions::NONE);
        while decoder.can_decode() {
            let at = decoder.position();
            let name = match decoder.decode().mnemonic() {
                Mnemonic::Syscall => "syscall",
                Mnemonic::Sysenter => "sysenter",
                Mnemonic::Int => "int",
                _ => continue,
            };
            found.push((start + ends[0] + at, name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traps(architecture: Architecture, code: &[u8], contents: &[(u64, Content)]) -> Vec<usize> {
        let marks = Marks {
            contents: contents.to_vec(),
            functions: vec![(0, "f")],
        };
        let found = found(architecture, code, &marks);
        found.into_iter().map(|(at, _)| at).collect()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn aarch64_has_words_of_code_and_of_data() {
        // mov x0, x1; svc #0; svc #0x1234; hvc #0; brk #1
        let code = words(&[
            0xaa01_03e0,
            0xd400_0001,
            0xd402_4681,
            0xd400_0002,
            0xd420_0020,
        ]);
        assert_eq!(traps(Architecture::Aarch64, &code, &[]), [4, 8]);
        let literals = [(0, Content::Code), (4, Content::Data), (8, Content::Code)];
        assert_eq!(traps(Architecture::Aarch64, &code, &literals), [8]);
    }

    #[test]
    fn arm_has_two_sets_of_instructions() {
        // svc #0; svcne #1; not an instruction; then in Thumb: svc #0; bl; the second half of which looks like one.
        let mut code = words(&[0xef00_0000, 0x1f00_0001, 0xff00_0000]);
        code.extend([0x00, 0xdf, 0x00, 0xf0, 0x00, 0xdf, 0x70, 0x47]);
        let contents = [(0, Content::Code), (12, Content::Thumb)];
        assert_eq!(traps(Architecture::Arm, &code, &contents), [0, 4, 12]);
    }

    #[test]
    fn riscv_has_instructions_of_two_lengths() {
        // c.nop; ecall; lui a0, 7 with the bytes of ecall across two instructions after it
        let mut code = vec![0x01, 0x00];
        code.extend(ECALL);
        code.extend([0x37, 0x75, 0x73, 0x00, 0x00, 0x00]);
        assert_eq!(traps(Architecture::Riscv64, &code, &[]), [2]);
    }

    #[test]
    fn x86_is_disassembled() {
        // mov eax, 0x050f; syscall; int 0x80; mov al, 0xcd; ret
        let code = [
            0xb8, 0x0f, 0x05, 0, 0, 0x0f, 0x05, 0xcd, 0x80, 0xb0, 0xcd, 0xc3,
        ];
        assert_eq!(traps(Architecture::X86_64, &code, &[]), [5, 7]);
        // sysenter; inc eax, a prefix in 64 bits; int 0x80
        let code = [0x0f, 0x34, 0x40, 0xcd, 0x80];
        assert_eq!(traps(Architecture::I386, &code, &[]), [0, 3]);
    }

    #[test]
    fn other_files_have_no_code() {
        assert_eq!(of(b"0\x05\x0f\x05"), []);
    }
}

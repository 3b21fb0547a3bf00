// SPDX-License-Identifier: BSD-2-Clause

//! Variables of C that Rust can declare. bindgen declares a thread-local one like any other, and Rust would read another
//! address than C.

use std::collections::BTreeSet;
use std::ffi::{CStr, CString, c_int, c_void};
use std::path::Path;
use std::ptr;

use clang_sys::{
    CXChildVisit_Continue, CXChildVisit_Recurse, CXChildVisitResult, CXClientData, CXCursor,
    CXCursor_LinkageSpec, CXCursor_VarDecl, CXTLS_None, CXTranslationUnit_SkipFunctionBodies,
};
use syn::{File, ForeignItem, Item};

use super::clang;
use crate::failure::{Failure, Result};

/// Removes from `file` the variables that are thread-local in `header`, which clang reads with `flags`.
///
/// # Errors
///
/// When clang cannot read the header.
pub fn remove_thread_locals(file: &mut File, header: &Path, flags: &[String]) -> Result<()> {
    let is_variable = |item: &ForeignItem| matches!(item, ForeignItem::Static(_));
    let has_variables = |item: &Item| matches!(item, Item::ForeignMod(block) if block.items.iter().any(is_variable));
    if !file.items.iter().any(has_variables) {
        return Ok(());
    }
    let thread_local = thread_locals(header, flags)?;
    for item in &mut file.items {
        if let Item::ForeignMod(block) = item {
            block.items.retain(|item| {
                !matches!(item, ForeignItem::Static(variable) if thread_local.contains(&variable.ident.to_string()))
            });
        }
    }
    Ok(())
}

/// Returns the names of the thread-local variables that `header` declares.
fn thread_locals(header: &Path, flags: &[String]) -> Result<BTreeSet<String>> {
    clang::load_libclang()?;
    let unreadable = || {
        Failure::new(format!(
            "clang cannot read `{}` for its variables",
            header.display()
        ))
        .help("report the headers to the project")
    };
    let text = |text: &str| CString::new(text).map_err(|_| unreadable());
    let path = text(&header.display().to_string())?;
    let flags = flags
        .iter()
        .map(|flag| text(flag))
        .collect::<Result<Vec<_>>>()?;
    let arguments: Vec<_> = flags.iter().map(|flag| flag.as_ptr()).collect();
    let mut names = BTreeSet::new();
    // SAFETY: libclang is loaded. The arguments live throughout, as does the set, and index and unit are disposed of once.
    unsafe {
        let index = clang_sys::clang_createIndex(0, 0);
        let unit = clang_sys::clang_parseTranslationUnit(
            index,
            path.as_ptr(),
            arguments.as_ptr(),
            arguments.len() as c_int,
            ptr::null_mut(),
            0,
            CXTranslationUnit_SkipFunctionBodies,
        );
        if unit.is_null() {
            clang_sys::clang_disposeIndex(index);
            return Err(unreadable());
        }
        let cursor = clang_sys::clang_getTranslationUnitCursor(unit);
        let set: *mut BTreeSet<String> = &raw mut names;
        clang_sys::clang_visitChildren(cursor, visit, set.cast::<c_void>());
        clang_sys::clang_disposeTranslationUnit(unit);
        clang_sys::clang_disposeIndex(index);
    }
    Ok(names)
}

/// Adds the name of a thread-local variable to the set that `data` points to.
extern "C" fn visit(cursor: CXCursor, _: CXCursor, data: CXClientData) -> CXChildVisitResult {
    // SAFETY: libclang passes a cursor of the unit, and the pointer that `thread_locals` gave it, to a set that nothing
    // else uses meanwhile. The string is disposed of once.
    unsafe {
        let kind = clang_sys::clang_getCursorKind(cursor);
        if kind == CXCursor_LinkageSpec {
            return CXChildVisit_Recurse;
        }
        if kind == CXCursor_VarDecl && clang_sys::clang_getCursorTLSKind(cursor) != CXTLS_None {
            let name = clang_sys::clang_getCursorSpelling(cursor);
            let text = clang_sys::clang_getCString(name);
            if !text.is_null() {
                let names = &mut *data.cast::<BTreeSet<String>>();
                names.insert(CStr::from_ptr(text).to_string_lossy().into_owned());
            }
            clang_sys::clang_disposeString(name);
        }
    }
    CXChildVisit_Continue
}

// SPDX-License-Identifier: BSD-2-Clause

//! Facts about headers that bindgen does not tell: which of them compile, which variables are thread-local, and what of them
//! Rust does not get.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, CString, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr;

use clang_sys::{
    CXChildVisit_Continue, CXChildVisit_Recurse, CXChildVisitResult, CXClientData, CXCursor,
    CXCursor_FunctionDecl, CXCursor_LinkageSpec, CXCursor_MacroDefinition, CXCursor_StructDecl,
    CXCursor_UnionDecl, CXCursor_VarDecl, CXDiagnostic_Error, CXFile, CXSourceLocation, CXString,
    CXTLS_None, CXToken, CXTranslationUnit, CXTranslationUnit_DetailedPreprocessingRecord,
    CXTranslationUnit_None,
};

use super::clang;
use crate::failure::{Failure, Result};

/// Facts that clang knows of the headers that a file includes.
#[derive(Debug, Default)]
pub struct Unit {
    /// Errors, by the lines of the header whose `#include` they come from.
    pub errors: BTreeMap<u32, String>,
    /// C spellings of structures and unions outside of others, by their names: with the keyword before a tag, without it
    /// before the typedef of a type that has no tag.
    pub spellings: BTreeMap<String, String>,
    /// Names of thread-local variables.
    pub thread_locals: BTreeSet<String>,
    /// Macros with a content, by their names, and whether they take arguments.
    pub macros: BTreeMap<String, bool>,
    /// Names of functions.
    pub functions: BTreeSet<String>,
}

impl Unit {
    /// Reads `header` with clang's `flags`. Of macros and functions, those count that files in the folders `own` define.
    ///
    /// # Errors
    ///
    /// When libclang is missing, or gives up.
    pub fn read(header: &Path, flags: &[String], own: &[PathBuf]) -> Result<Self> {
        clang::load_libclang()?;
        let unreadable = || {
            Failure::new(format!("clang cannot read `{}`", header.display()))
                .help("report the headers to the project")
        };
        let text = |text: &str| CString::new(text).map_err(|_| unreadable());
        let path = text(&header.display().to_string())?;
        let flags = flags
            .iter()
            .map(|flag| text(flag))
            .collect::<Result<Vec<_>>>()?;
        let arguments: Vec<_> = flags.iter().map(|flag| flag.as_ptr()).collect();
        let options = match own {
            [] => CXTranslationUnit_None,
            _ => CXTranslationUnit_DetailedPreprocessingRecord,
        };
        let mut visit = Visit {
            own,
            unit: ptr::null_mut(),
            found: Self::default(),
        };
        // SAFETY: libclang is loaded. The arguments live throughout, as does the visit, and index and unit are disposed of
        // once.
        unsafe {
            let index = clang_sys::clang_createIndex(0, 0);
            visit.unit = clang_sys::clang_parseTranslationUnit(
                index,
                path.as_ptr(),
                arguments.as_ptr(),
                arguments.len() as c_int,
                ptr::null_mut(),
                0,
                options,
            );
            if visit.unit.is_null() {
                clang_sys::clang_disposeIndex(index);
                return Err(unreadable());
            }
            visit.found.errors = errors(visit.unit);
            let cursor = clang_sys::clang_getTranslationUnitCursor(visit.unit);
            let data: *mut Visit<'_> = &raw mut visit;
            clang_sys::clang_visitChildren(cursor, visited, data.cast::<c_void>());
            clang_sys::clang_disposeTranslationUnit(visit.unit);
            clang_sys::clang_disposeIndex(index);
        }
        Ok(visit.found)
    }
}

struct Visit<'a> {
    own: &'a [PathBuf],
    unit: CXTranslationUnit,
    found: Unit,
}

/// Notes what `cursor` declares in the visit that `data` points to.
extern "C" fn visited(cursor: CXCursor, _: CXCursor, data: CXClientData) -> CXChildVisitResult {
    // SAFETY: libclang passes a cursor of the unit, and the pointer that `Unit::read` gave it, to a visit that nothing
    // else uses meanwhile.
    unsafe {
        let visit = &mut *data.cast::<Visit<'_>>();
        let name = || taken(clang_sys::clang_getCursorSpelling(cursor));
        let kind = clang_sys::clang_getCursorKind(cursor);
        if kind == CXCursor_LinkageSpec {
            return CXChildVisit_Recurse;
        }
        if kind == CXCursor_VarDecl && clang_sys::clang_getCursorTLSKind(cursor) != CXTLS_None {
            visit.found.thread_locals.insert(name());
        }
        if kind == CXCursor_StructDecl || kind == CXCursor_UnionDecl {
            let spelling = taken(clang_sys::clang_getTypeSpelling(
                clang_sys::clang_getCursorType(cursor),
            ));
            let name = spelling.rsplit(' ').next().unwrap_or_default();
            visit
                .found
                .spellings
                .insert(name.to_owned(), spelling.clone());
        }
        let counts = kind == CXCursor_MacroDefinition || kind == CXCursor_FunctionDecl;
        if counts && is_own(clang_sys::clang_getCursorLocation(cursor), visit.own) {
            if kind == CXCursor_FunctionDecl {
                visit.found.functions.insert(name());
            } else if tokens(visit.unit, cursor) > 1 {
                let takes = clang_sys::clang_Cursor_isMacroFunctionLike(cursor) != 0;
                visit.found.macros.insert(name(), takes);
            }
        }
    }
    CXChildVisit_Continue
}

/// Returns whether a file in one of the folders has the place `at`.
///
/// # Safety
///
/// `at` is a place in a unit that exists.
unsafe fn is_own(at: CXSourceLocation, own: &[PathBuf]) -> bool {
    // SAFETY: the place exists.
    let (name, _) = unsafe { place(at) };
    own.iter()
        .any(|folder| Path::new(&name).starts_with(folder))
}

/// Returns the number of tokens of `cursor`: an empty macro is its name alone.
///
/// # Safety
///
/// `cursor` belongs to `unit`.
unsafe fn tokens(unit: CXTranslationUnit, cursor: CXCursor) -> u32 {
    let mut tokens: *mut CXToken = ptr::null_mut();
    let mut count = 0;
    // SAFETY: the cursor belongs to the unit, and the tokens are disposed of once.
    unsafe {
        let extent = clang_sys::clang_getCursorExtent(cursor);
        clang_sys::clang_tokenize(unit, extent, &raw mut tokens, &raw mut count);
        clang_sys::clang_disposeTokens(unit, tokens, count);
    }
    count
}

/// Returns the first error of `unit` for each line of its file that includes what has one.
///
/// # Safety
///
/// The unit exists.
unsafe fn errors(unit: CXTranslationUnit) -> BTreeMap<u32, String> {
    let mut includers: BTreeMap<String, u32> = BTreeMap::new();
    let mut found = BTreeMap::new();
    // SAFETY: the unit exists, the map lives throughout, the number is one of the unit's diagnostics, and each is disposed of
    // once.
    unsafe {
        let map: *mut BTreeMap<String, u32> = &raw mut includers;
        clang_sys::clang_getInclusions(unit, included, map.cast::<c_void>());
        for number in 0..clang_sys::clang_getNumDiagnostics(unit) {
            let diagnostic = clang_sys::clang_getDiagnostic(unit, number);
            if clang_sys::clang_getDiagnosticSeverity(diagnostic) >= CXDiagnostic_Error {
                let (file, line) = place(clang_sys::clang_getDiagnosticLocation(diagnostic));
                let options = clang_sys::clang_defaultDiagnosticDisplayOptions();
                let text = taken(clang_sys::clang_formatDiagnostic(diagnostic, options));
                let line = includers.get(&file).copied().unwrap_or(line);
                found.entry(line).or_insert(text);
            }
            clang_sys::clang_disposeDiagnostic(diagnostic);
        }
    }
    found
}

/// Notes, in the map that `data` points to, the line of the unit's own file that `file` comes from.
extern "C" fn included(
    file: CXFile,
    stack: *mut CXSourceLocation,
    depth: std::ffi::c_uint,
    data: CXClientData,
) {
    let Some(outermost) = (depth as usize).checked_sub(1) else {
        return;
    };
    // SAFETY: libclang passes a stack of `depth` places, and the pointer that `errors` gave it.
    unsafe {
        let includers = &mut *data.cast::<BTreeMap<String, u32>>();
        let (_, line) = place(*stack.add(outermost));
        includers
            .entry(taken(clang_sys::clang_getFileName(file)))
            .or_insert(line);
    }
}

/// Returns the file and the line of a place.
///
/// # Safety
///
/// `at` is a place in a unit that exists.
unsafe fn place(at: CXSourceLocation) -> (String, u32) {
    let mut file = ptr::null_mut();
    let mut line = 0;
    // SAFETY: the place exists, and the results that are not asked for are null.
    unsafe {
        clang_sys::clang_getExpansionLocation(
            at,
            &raw mut file,
            &raw mut line,
            ptr::null_mut(),
            ptr::null_mut(),
        );
        match file.is_null() {
            true => (String::new(), line),
            false => (taken(clang_sys::clang_getFileName(file)), line),
        }
    }
}

/// Returns the text of `string`, and disposes of it.
///
/// # Safety
///
/// libclang gave the string to the caller, who does not use it again.
unsafe fn taken(string: CXString) -> String {
    // SAFETY: the string is the caller's, and ends with a zero unless it is null.
    unsafe {
        let text = clang_sys::clang_getCString(string);
        let owned = match text.is_null() {
            true => String::new(),
            false => CStr::from_ptr(text).to_string_lossy().into_owned(),
        };
        clang_sys::clang_disposeString(string);
        owned
    }
}

// SPDX-License-Identifier: BSD-2-Clause

//! WebAssembly guests in a C program. Wasmtime runs them: each has a memory of its own with a limit, calls no more than the
//! functions that C gives it, and ends when its fuel is used up.

mod settings;

use std::cell::RefCell;
use std::error;
use std::ffi::{CStr, CString, c_char};
use std::fmt;
use std::ptr;
use std::slice;

use wasmtime::{
    Engine, Error, ExternType, Instance, Linker, Module, ResourceLimiter, Result, Store, Trap, Val,
    ValType,
};

/// Code of the modules: `pulley64` or `native`.
const CODE: &str = match option_env!("WASM_CODE") {
    Some(code) => code,
    None => "pulley64",
};

/// Name under which guests import C's functions.
const HOST: &str = "host";

/// Fuel of a module's start function.
const START_FUEL: u64 = 1_000_000;

/// Most entries that the tables of a guest have.
const TABLE_ENTRIES: usize = 1 << 12;

/// Results of the functions here; `wasm_error()` has the details.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wasm {
    /// Success.
    Ok,
    /// Module that was compiled otherwise, is damaged, or imports what C does not have.
    BadModule,
    /// Call of a function that does not exist, or with other arguments than it takes.
    BadCall,
    /// Growth of the guest's memory beyond its limit.
    OutOfMemory,
    /// Call that took more fuel than it was given.
    OutOfFuel,
    /// Trap of the guest, or one that a function of C's wants.
    Trap,
}

/// Call of a function of C's by a guest.
#[repr(C)]
pub struct Call {
    /// Memory of the guest, or NULL if it exports none as `memory`.
    pub memory: *mut u8,
    /// Size of that memory.
    pub memory_bytes: usize,
    /// Arguments; those of 32 bits are sign-extended.
    pub arguments: *const i64,
    /// Number of arguments.
    pub argument_count: usize,
    /// Result, for functions that have one.
    pub result: i64,
}

/// Function of C's that guests import from the module `host`, with parameters and result of the types i32 and i64.
#[repr(C)]
pub struct Import {
    /// Name of the import.
    pub name: *const c_char,
    /// Function. If it returns false, the guest traps.
    pub function: extern "C" fn(call: &mut Call) -> bool,
}

/// Instance of a module, with a memory of its own.
pub struct Guest {
    store: Store<Limits>,
    instance: Instance,
}

/// Reason of an error, beside Wasmtime's own.
#[derive(Debug)]
struct Refused(Wasm, String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.1)
    }
}

impl error::Error for Refused {}

fn refused<T>(code: Wasm, reason: String) -> Result<T> {
    Err(Error::new(Refused(code, reason)))
}

/// Limits of a guest.
struct Limits {
    memory_bytes: usize,
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, _: usize, bytes: usize, _: Option<usize>) -> Result<bool> {
        if bytes > self.memory_bytes {
            let limit = self.memory_bytes;
            return refused(
                Wasm::OutOfMemory,
                format!("the guest wants `{bytes}` bytes of memory, and its limit is `{limit}`"),
            );
        }
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        refused(Wasm::OutOfMemory, format!("{error:#}"))
    }

    fn table_growing(&mut self, _: usize, entries: usize, _: Option<usize>) -> Result<bool> {
        Ok(entries <= TABLE_ENTRIES)
    }

    fn memories(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        4
    }
}

/// Returns the number, if it is an integer.
fn number(value: &Val) -> Result<i64> {
    match value {
        Val::I32(number) => Ok((*number).into()),
        Val::I64(number) => Ok(*number),
        _ => refused(Wasm::BadCall, "a value is not an integer".into()),
    }
}

/// Returns `number` as a value of type `kind`. Values of 32 bits may be signed or not.
fn value(number: i64, kind: &ValType) -> Result<Val> {
    match kind {
        ValType::I64 => Ok(Val::I64(number)),
        ValType::I32 if i32::try_from(number).is_ok() || u32::try_from(number).is_ok() => {
            Ok(Val::I32(number as i32))
        }
        ValType::I32 => refused(Wasm::BadCall, format!("`{number}` has more than 32 bits")),
        _ => refused(Wasm::BadCall, "a value is not an integer".into()),
    }
}

/// Lets guests call `import`, with the types that the module gives it.
fn link(linker: &mut Linker<Limits>, name: &str, import: &Import, module: &Module) -> Result<()> {
    let function = import.function;
    let kinds = module
        .imports()
        .filter(|import| import.module() == HOST && import.name() == name)
        .find_map(|import| match import.ty() {
            ExternType::Func(kinds) => Some(kinds),
            _ => None,
        });
    // A guest need not use all that there is.
    let Some(kinds) = kinds else { return Ok(()) };
    let refusal = format!("the function `{name}` of the host refuses the call");
    linker.func_new(
        HOST,
        name,
        kinds.clone(),
        move |mut caller, values, results| {
            let arguments: Vec<i64> = values.iter().map(number).collect::<Result<_>>()?;
            let memory = caller
                .get_export("memory")
                .and_then(|export| export.into_memory());
            let (memory, memory_bytes) = match memory {
                Some(memory) => {
                    let bytes = memory.data_mut(&mut caller);
                    (bytes.as_mut_ptr(), bytes.len())
                }
                None => (ptr::null_mut(), 0),
            };
            let mut call = Call {
                memory,
                memory_bytes,
                arguments: arguments.as_ptr(),
                argument_count: arguments.len(),
                result: 0,
            };
            if !function(&mut call) {
                return refused(Wasm::Trap, refusal.clone());
            }
            for (result, kind) in results.iter_mut().zip(kinds.results()) {
                *result = value(call.result, &kind)?;
            }
            Ok(())
        },
    )?;
    Ok(())
}

/// Makes an instance of `module`.
///
/// # Safety
///
/// `module` is as guest-compiler wrote it: Wasmtime runs it unexamined.
unsafe fn open(module: &[u8], imports: &[(&str, &Import)], memory_bytes: usize) -> Result<Guest> {
    let engine = Engine::new(&settings::config(CODE)?)?;
    // SAFETY: guest-compiler wrote the module.
    let module = unsafe { Module::deserialize(&engine, module)? };
    let mut linker = Linker::new(&engine);
    for (name, import) in imports {
        link(&mut linker, name, import, &module)?;
    }
    let mut store = Store::new(&engine, Limits { memory_bytes });
    store.limiter(|limits| limits);
    // For the module's start function.
    store.set_fuel(START_FUEL)?;
    let instance = linker.instantiate(&mut store, &module)?;
    Ok(Guest { store, instance })
}

fn call(guest: &mut Guest, name: &str, arguments: &[i64], fuel: u64) -> Result<i64> {
    let Some(function) = guest.instance.get_func(&mut guest.store, name) else {
        return refused(
            Wasm::BadCall,
            format!("the guest exports no function `{name}`"),
        );
    };
    let kinds = function.ty(&guest.store);
    let (expected, count) = (kinds.params().len(), arguments.len());
    if count != expected {
        return refused(
            Wasm::BadCall,
            format!("`{name}` takes {expected} arguments, and the call has {count}"),
        );
    }
    let arguments: Vec<Val> = arguments
        .iter()
        .zip(kinds.params())
        .map(|(&number, kind)| value(number, &kind))
        .collect::<Result<_>>()?;
    let mut results = vec![Val::I64(0); kinds.results().len()];
    guest.store.set_fuel(fuel)?;
    function.call(&mut guest.store, &arguments, &mut results)?;
    results.first().map_or(Ok(0), number)
}

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// Returns the code of an error, if it is one, and keeps its text for `wasm_error()`. Errors of Wasmtime's that are no traps
/// have the code `otherwise`.
fn code(result: Result<()>, otherwise: Wasm) -> Wasm {
    let Err(error) = result else { return Wasm::Ok };
    let text = CString::new(format!("{error:#}")).unwrap_or_default();
    LAST.with_borrow_mut(|last| *last = text);
    match (
        error.downcast_ref::<Refused>(),
        error.downcast_ref::<Trap>(),
    ) {
        (Some(Refused(code, _)), _) => *code,
        (_, Some(Trap::OutOfFuel)) => Wasm::OutOfFuel,
        (_, Some(_)) => Wasm::Trap,
        _ => otherwise,
    }
}

/// Returns the string at `text`.
///
/// # Safety
///
/// `text` points to a string that ends with a zero, and lives as long as the result.
unsafe fn string<'a>(text: *const c_char) -> Result<&'a str> {
    // SAFETY: `text` points to a string with a zero at its end.
    Ok(unsafe { CStr::from_ptr(text) }.to_str()?)
}

/// Returns the `count` values at `first`, which may be NULL if there are none.
///
/// # Safety
///
/// `first` points to `count` values, which live as long as the result.
unsafe fn values<'a, T>(first: *const T, count: usize) -> &'a [T] {
    if count == 0 {
        return &[];
    }
    // SAFETY: `first` points to `count` values.
    unsafe { slice::from_raw_parts(first, count) }
}

/// Makes a guest of a module that guest-compiler compiled, with C's functions `imports` and at most `memory_bytes` of memory,
/// and stores it in `guest`. If the result is not WASM_OK, `guest` is NULL.
///
/// # Safety
///
/// `module` points to `module_bytes` bytes as guest-compiler wrote them: Wasmtime runs them unexamined. `imports` points to
/// `import_count` imports, with names that end with a zero and functions that take the types that the module gives them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_open(
    module: *const u8,
    module_bytes: usize,
    imports: *const Import,
    import_count: usize,
    memory_bytes: usize,
    guest: &mut Option<Box<Guest>>,
) -> Wasm {
    *guest = None;
    // SAFETY: `module` points to so many bytes.
    let module = unsafe { values(module, module_bytes) };
    // SAFETY: `imports` points to so many imports.
    let imports = unsafe { values(imports, import_count) };
    let opened = imports
        .iter()
        // SAFETY: the name of an import ends with a zero.
        .map(|import| Ok((unsafe { string(import.name)? }, import)))
        .collect::<Result<Vec<_>>>()
        // SAFETY: guest-compiler wrote the module.
        .and_then(|imports| unsafe { open(module, &imports, memory_bytes) })
        .map(|opened| *guest = Some(Box::new(opened)));
    code(opened, Wasm::BadModule)
}

/// Calls a function of the guest with `count` arguments, and stores its result, or 0 if it has none. Each instruction of the
/// guest takes about one unit of `fuel`. After an error, the guest can be called again; its memory is as the call left it.
///
/// # Safety
///
/// `function` is a string that ends with a zero, and `arguments` points to `count` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_call(
    guest: &mut Guest,
    function: *const c_char,
    arguments: *const i64,
    count: usize,
    fuel: u64,
    result: &mut i64,
) -> Wasm {
    // SAFETY: `arguments` points to so many numbers.
    let arguments = unsafe { values(arguments, count) };
    // SAFETY: the name of a function ends with a zero.
    let called = unsafe { string(function) }
        .and_then(|function| call(guest, function, arguments, fuel))
        .map(|value| *result = value);
    code(called, Wasm::BadCall)
}

/// Returns the text of the last error in this thread. It stays until the next one.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_error() -> *const c_char {
    LAST.with_borrow(|last| last.as_ptr())
}

/// Frees a guest, or nothing if it is NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_close(guest: Option<Box<Guest>>) {
    drop(guest);
}

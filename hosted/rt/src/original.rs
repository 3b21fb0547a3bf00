// SPDX-License-Identifier: BSD-2-Clause

//! The C library's versions of functions that this crate replaces. Threads that are not seL4's use them, and
//! so does this crate.

use std::ffi::{CStr, c_void};

/// Returns the address of the C library's function of this name.
pub(crate) fn find(name: &CStr) -> *mut c_void {
    // SAFETY: a plain call.
    let address = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    if address.is_null() {
        let name = name.to_string_lossy();
        sel4_hosted::end::refuse(&format!(
            "the C library has no function `{name}`\nhelp: link the program dynamically, with glibc"
        ));
    }
    address
}

/// Declares functions of the C library.
macro_rules! original {
    ($(fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $result:ty;)*) => {$(
        pub(crate) unsafe fn $name($($argument: $type),*) -> $result {
            use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};
            static ADDRESS: AtomicPtr<std::ffi::c_void> = AtomicPtr::new(std::ptr::null_mut());
            let mut address = ADDRESS.load(Relaxed);
            if address.is_null() {
                const NAME: &str = concat!(stringify!($name), "\0");
                let name = std::ffi::CStr::from_bytes_with_nul(NAME.as_bytes());
                address = $crate::original::find(name.unwrap_or_default());
                ADDRESS.store(address, Relaxed);
            }
            // SAFETY: the library's function has this type; the caller keeps its contract.
            unsafe {
                std::mem::transmute::<
                    *mut std::ffi::c_void,
                    unsafe extern "C" fn($($type),*) -> $result,
                >(address)($($argument),*)
            }
        }
    )*};
}

/// Defines functions in place of the C library's: seL4 threads run the body, other threads the library's version. Bodies
/// reach that as `c::NAME`. One use per module.
#[cfg(feature = "std")]
macro_rules! replace {
    ($(
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $result:ty $body:block
    )*) => {
        mod c {
            #[allow(unused_imports)]
            use super::*;
            $crate::original::original! {
                $(fn $name($($argument: $type),*) -> $result;)*
            }
        }
        $(
            $(#[$attribute])*
            #[unsafe(no_mangle)]
            $visibility unsafe extern "C" fn $name($($argument: $type),*) -> $result {
                // SAFETY: as the caller promises.
                unsafe {
                    if !sel4_hosted::in_thread() {
                        return c::$name($($argument),*);
                    }
                    $body
                }
            }
        )*
    };
}

pub(crate) use original;
#[cfg(feature = "std")]
pub(crate) use replace;

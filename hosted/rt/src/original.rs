// SPDX-License-Identifier: BSD-2-Clause

//! Functions of C's library that this crate has in the library's place, as the library has them: for
//! threads that are Linux' own, and for what is Linux' business.

use std::ffi::{CStr, c_void};

/// The address of a function of C's library, whoever else has one of this name.
pub(crate) fn find(name: &CStr) -> *mut c_void {
    // SAFETY: a plain call.
    let address = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    if address.is_null() {
        let name = name.to_string_lossy();
        sel4_hosted::end::refuse(&format!(
            "the C library has no `{name}`\nhelp: link the program dynamically, with glibc"
        ));
    }
    address
}

/// Declares such functions.
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
            // SAFETY: the library's function has this type, and the caller answers for the rest.
            unsafe {
                std::mem::transmute::<
                    *mut std::ffi::c_void,
                    unsafe extern "C" fn($($type),*) -> $result,
                >(address)($($argument),*)
            }
        }
    )*};
}

pub(crate) use original;

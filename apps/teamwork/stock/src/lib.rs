// SPDX-License-Identifier: BSD-2-Clause
//! Amounts of articles in stock: a `BTreeMap` on the Rust heap, behind a handle for C.
#![no_std]

extern crate alloc;

use alloc::{boxed::Box, collections::BTreeMap};

/// Amounts by article number. C gets an opaque pointer to it.
pub struct Stock(BTreeMap<u32, u32>);

/// Creates an empty stock; `stock_free()` frees it.
#[unsafe(no_mangle)]
pub extern "C" fn stock_new() -> *mut Stock {
    log::info!("a new stock, ticket {}", counter::next());
    Box::into_raw(Box::new(Stock(BTreeMap::new())))
}

/// Sets the amount of `article`.
///
/// # Safety
///
/// `stock` comes from `stock_new()` and has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stock_put(stock: &mut Stock, article: u32, amount: u32) {
    stock.0.insert(article, amount);
}

/// Returns the amount of `article`, or 0 if there is none.
///
/// # Safety
///
/// `stock` comes from `stock_new()` and has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stock_amount(stock: &Stock, article: u32) -> u32 {
    stock.0.get(&article).copied().unwrap_or(0)
}

/// Calls `visit` for each article, in the order of their numbers.
///
/// # Safety
///
/// `stock` comes from `stock_new()` and has not been freed; `visit` does not change it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stock_each(
    stock: &Stock,
    visit: unsafe extern "C" fn(article: u32, amount: u32),
) {
    for (&article, &amount) in &stock.0 {
        // SAFETY: by the contract of this function, `visit` has this signature.
        unsafe { visit(article, amount) };
    }
}

/// Frees `stock`.
///
/// # Safety
///
/// `stock` comes from `stock_new()`, has not been freed, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stock_free(stock: *mut Stock) {
    // SAFETY: by the contract of this function, `stock_new()` returned the box, and this is its last use.
    drop(unsafe { Box::from_raw(stock) });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_amounts_until_freed() {
        let stock = stock_new();
        // SAFETY: `stock` is alive until `stock_free()`.
        unsafe {
            stock_put(&mut *stock, 7, 70);
            assert_eq!(stock_amount(&*stock, 7), 70);
            assert_eq!(stock_amount(&*stock, 8), 0);
            stock_free(stock);
        }
    }
}

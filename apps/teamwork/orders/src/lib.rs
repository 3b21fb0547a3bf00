// SPDX-License-Identifier: BSD-2-Clause
//! Orders: takes ticket numbers from the shared counter, and passes floating-point numbers to C and back.
#![no_std]

/// Takes a ticket number.
#[unsafe(no_mangle)]
pub extern "C" fn orders_ticket() -> u32 {
    counter::next()
}

/// Returns the total price with tax. The order of the arguments mixes integer and floating-point registers.
#[unsafe(no_mangle)]
pub extern "C" fn orders_total(price: f64, quantity: i32, tax: f32) -> f64 {
    price * f64::from(quantity) * (1.0 + f64::from(tax))
}

/// Subtracts a discount, which C computes, from `price`.
///
/// # Safety
///
/// `discount` must be a C function of this signature.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn orders_discounted(
    price: f64,
    discount: unsafe extern "C" fn(quantity: i32, price: f64) -> f64,
    quantity: i32,
) -> f64 {
    // SAFETY: by the contract of this function, `discount` has this signature.
    price - unsafe { discount(quantity, price) }
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" fn tenth(_quantity: i32, price: f64) -> f64 {
        price / 10.0
    }

    #[test]
    fn total_includes_tax() {
        assert_eq!(orders_total(2.5, 4, 0.5), 15.0);
    }

    #[test]
    fn discount_is_taken_off() {
        // SAFETY: `tenth` has the signature.
        assert_eq!(unsafe { orders_discounted(20.0, tenth, 1) }, 18.0);
    }
}

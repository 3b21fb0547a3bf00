// SPDX-License-Identifier: BSD-2-Clause

//! A bank that survives its own bugs: C gets an error code for an error and for a panic.

use std::ffi::c_int;
use std::fmt;
use std::mem::MaybeUninit;
use std::sync::{Mutex, MutexGuard};

use libsel4_guard::{ErrorCode, guard_into};

/// Bug in the server: Rust panicked. The request had no effect.
pub const BANK_PANIC: c_int = -1;
/// Amount greater than the balance.
pub const BANK_TOO_LITTLE: c_int = 1;
/// Transfer of nothing.
pub const BANK_NOTHING: c_int = 2;

/// Reason why a request was refused.
enum Refused {
    TooLittle { account: usize, there: u32 },
    Nothing,
}

/// Text for the console.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Refused::TooLittle { account, there } => {
                write!(f, "account {account} has only {there}")
            }
            Refused::Nothing => write!(f, "a transfer of nothing"),
        }
    }
}

/// Code for C.
impl ErrorCode for Refused {
    const PANIC: c_int = BANK_PANIC;

    fn code(&self) -> c_int {
        match self {
            Refused::TooLittle { .. } => BANK_TOO_LITTLE,
            Refused::Nothing => BANK_NOTHING,
        }
    }
}

struct Ledger {
    accounts: [u32; 3],
    /// Balances after the last transfer.
    done: [u32; 3],
}

static LEDGER: Mutex<Ledger> = Mutex::new(Ledger {
    accounts: [100; 3],
    done: [100; 3],
});

/// Locks the ledger, and repairs it if necessary.
///
/// A panic while the lock was held has poisoned it: the ledger may be half changed. So the change is
/// undone, and the ledger is consistent again. A server that cannot do that leaves the lock
/// poisoned: with `lock().unwrap()` every later request panics, and C gets `BANK_PANIC` for each.
fn ledger() -> MutexGuard<'static, Ledger> {
    LEDGER.lock().unwrap_or_else(|poisoned| {
        let mut ledger = poisoned.into_inner();
        ledger.accounts = ledger.done;
        LEDGER.clear_poison();
        println!("bank: a request broke off; the ledger is as it was before");
        ledger
    })
}

fn balance(account: usize) -> u32 {
    ledger().accounts[account]
}

fn transfer(from: usize, to: usize, amount: u32) -> Result<u32, Refused> {
    if amount == 0 {
        return Err(Refused::Nothing);
    }
    let mut ledger = ledger();
    let there = ledger.accounts[from];
    let left = there.checked_sub(amount).ok_or(Refused::TooLittle {
        account: from,
        there,
    })?;
    ledger.accounts[from] = left;
    // The bug: the account may not exist, and the money is already withdrawn.
    ledger.accounts[to] += amount;
    ledger.done = ledger.accounts;
    Ok(left)
}

/// Reads the balance of an account. Returns 0, or one of the codes above.
#[unsafe(no_mangle)]
pub extern "C" fn bank_balance(account: usize, balance: Option<&mut MaybeUninit<u32>>) -> c_int {
    guard_into(balance, || Ok::<_, Refused>(self::balance(account)))
}

/// Moves `amount` between accounts, and writes the rest of the first to `left`. Returns 0, or one of
/// the codes above; then nothing has moved.
#[unsafe(no_mangle)]
pub extern "C" fn bank_transfer(
    from: usize,
    to: usize,
    amount: u32,
    left: Option<&mut MaybeUninit<u32>>,
) -> c_int {
    guard_into(left, || transfer(from, to, amount))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_wrong_is_a_code_and_costs_nothing() {
        assert_eq!(bank_transfer(0, 1, 40, None), 0);
        assert_eq!(bank_transfer(0, 7, 40, None), BANK_PANIC);
        assert_eq!(bank_balance(7, None), BANK_PANIC);
        assert_eq!(bank_transfer(0, 1, 61, None), BANK_TOO_LITTLE);
        assert_eq!(bank_transfer(0, 1, 0, None), BANK_NOTHING);
        assert_eq!((balance(0), balance(1)), (60, 140));
    }
}

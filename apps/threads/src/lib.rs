// SPDX-License-Identifier: BSD-2-Clause

//! A pool of worker threads for jobs from C.
//!
//! ```text
//!  main() ── pool_put ──► Queue ──► worker 0 ──┐
//!                           ├─ ... ────────────┼─ channel ──► pool_finish ──► main()
//!                           └─────► worker 3 ──┘
//! ```

mod queue;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{Builder, JoinHandle};

use queue::Queue;

/// Number of jobs that the queue holds; `pool_put` waits while it is full.
pub const POOL_ROOM: usize = 3;

/// A job: counts the primes below this number.
type Job = u32;

/// Result of a job.
struct Answer {
    job: Job,
    primes: u32,
}

/// Workers, their queue and their channel. C gets an opaque pointer to it.
pub struct Pool {
    jobs: Arc<Queue<Job>>,
    answers: Receiver<Answer>,
    workers: Vec<JoinHandle<()>>,
}

impl Pool {
    fn new(count: u32) -> io::Result<Pool> {
        let (to_pool, answers) = mpsc::channel();
        let mut pool = Pool {
            jobs: Arc::new(Queue::new(POOL_ROOM)),
            answers,
            workers: Vec::new(),
        };
        for number in 0..count {
            let (jobs, to_pool) = (Arc::clone(&pool.jobs), to_pool.clone());
            // The name appears in panics and in the kernel's debug output. RUST_STD_THREADS limits the
            // number of threads: beyond it, `Builder` returns an error, and `thread::spawn` panics.
            let worker = Builder::new()
                .name(format!("worker {number}"))
                .spawn(move || work(&jobs, &to_pool));
            match worker {
                Ok(worker) => pool.workers.push(worker),
                Err(error) => {
                    pool.finish();
                    return Err(error);
                }
            }
        }
        Ok(pool)
    }

    /// Waits until the workers have emptied the queue and ended, and sorts the answers.
    fn finish(self) -> Vec<Answer> {
        self.jobs.close();
        for worker in self.workers {
            // An `Err` is the worker's panic, which std has printed; the other workers continue.
            let _ = worker.join();
        }
        // All senders are dropped, so this ends.
        let mut answers: Vec<_> = self.answers.try_iter().collect();
        answers.sort_by_key(|answer| answer.job);
        answers
    }
}

/// Main function of a worker, which returns when the queue is closed and empty.
fn work(jobs: &Queue<Job>, to_pool: &Sender<Answer>) {
    while let Some(job) = jobs.take() {
        let primes = primes_below(job);
        // Sending fails only if the receiver is dropped; then the answer is not needed.
        let _ = to_pool.send(Answer { job, primes });
    }
}

fn primes_below(limit: u32) -> u32 {
    let is_prime = |n: u32| {
        (2..)
            .take_while(|d| d * d <= n)
            .all(|d| !n.is_multiple_of(d))
    };
    (2..limit).filter(|&n| is_prime(n)).count() as u32
}

/// Starts a pool of `workers` threads. Returns NULL if a thread cannot be started.
#[unsafe(no_mangle)]
pub extern "C" fn pool_new(workers: u32) -> Option<Box<Pool>> {
    match Pool::new(workers) {
        Ok(pool) => Some(Box::new(pool)),
        Err(error) => {
            println!("pool_new: cannot start {workers} workers: {error}");
            None
        }
    }
}

/// Adds the job of counting the primes below `limit`. Waits while the queue is full. Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn pool_put(pool: &Pool, limit: u32) {
    pool.jobs.put(limit);
}

/// Waits for all answers, prints them, and returns their sum. Frees the pool.
#[unsafe(no_mangle)]
pub extern "C" fn pool_finish(pool: Box<Pool>) -> u64 {
    let answers = pool.finish();
    for Answer { job, primes } in &answers {
        println!("primes below {job}: {primes}");
    }
    answers.iter().map(|answer| u64::from(answer.primes)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_has_its_answer() {
        let pool = Pool::new(4).unwrap();
        for job in (0..50).rev() {
            pool.jobs.put(job);
        }
        let answers = pool.finish();
        assert_eq!(answers.len(), 50);
        assert!(
            answers
                .iter()
                .zip(0..)
                .all(|(answer, job)| { answer.job == job && answer.primes == primes_below(job) })
        );
    }

    #[test]
    fn there_are_168_primes_below_1000() {
        assert_eq!(primes_below(1000), 168);
    }
}

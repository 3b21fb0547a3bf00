// SPDX-License-Identifier: BSD-2-Clause

//! A bounded queue between threads. A thread that finds it empty or full sleeps in the kernel.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};

pub struct Queue<T> {
    state: Mutex<State<T>>,
    /// Signalled when an item is added, or the queue is closed.
    filled: Condvar,
    /// Signalled when an item is removed.
    emptied: Condvar,
    room: usize,
}

struct State<T> {
    items: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    pub fn new(room: usize) -> Self {
        Queue {
            state: Mutex::new(State {
                items: VecDeque::with_capacity(room),
                closed: false,
            }),
            filled: Condvar::new(),
            emptied: Condvar::new(),
            room,
        }
    }

    /// Adds `item`, after waiting for room.
    pub fn put(&self, item: T) {
        // `wait_while` releases the lock while it sleeps, and takes it again before it returns.
        // `unwrap` panics if a thread panicked while it held the lock, which this file never does.
        let state = self.state.lock().unwrap();
        let mut state = self
            .emptied
            .wait_while(state, |state| state.items.len() >= self.room)
            .unwrap();
        state.items.push_back(item);
        self.filled.notify_one();
    }

    /// Removes the oldest item, after waiting for one. Returns `None` if the queue is closed and empty.
    pub fn take(&self) -> Option<T> {
        let state = self.state.lock().unwrap();
        let mut state = self
            .filled
            .wait_while(state, |state| state.items.is_empty() && !state.closed)
            .unwrap();
        let item = state.items.pop_front();
        self.emptied.notify_one();
        item
    }

    /// Closes the queue, and wakes the threads that wait for items.
    pub fn close(&self) {
        self.state.lock().unwrap().closed = true;
        self.filled.notify_all();
    }
}

// SPDX-License-Identifier: BSD-2-Clause

//! A queue with limited room between threads: who finds it empty or full sleeps, in the kernel.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};

pub struct Queue<T> {
    state: Mutex<State<T>>,
    /// Something was put in, or the queue was closed.
    filled: Condvar,
    /// Something was taken out.
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

    /// Puts `item` in, as soon as there is room.
    pub fn put(&self, item: T) {
        // `wait_while` gives the lock back while it sleeps, and has it again when it returns.
        // `unwrap` fails if a thread panicked that had the lock. Nothing in this file does that.
        let state = self.state.lock().unwrap();
        let mut state = self
            .emptied
            .wait_while(state, |state| state.items.len() >= self.room)
            .unwrap();
        state.items.push_back(item);
        self.filled.notify_one();
    }

    /// Takes the oldest item, as soon as there is one. `None` once the queue is closed and empty.
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

    /// Nothing more will come: sends home who waits for it.
    pub fn close(&self) {
        self.state.lock().unwrap().closed = true;
        self.filled.notify_all();
    }
}

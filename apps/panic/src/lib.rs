// SPDX-License-Identifier: BSD-2-Clause
//! A library with a mistake in it, to show what a panic looks like.
#![no_std]

static PLACES: [i32; 3] = [10, 20, 30];

fn at(place: usize) -> i32 {
    PLACES[place]
}

/// What the shelf holds at `place`. There is no check, so a place that does not exist is a panic.
#[unsafe(no_mangle)]
pub extern "C" fn shelf_at(place: usize) -> i32 {
    at(place)
}

#[cfg(test)]
mod tests {
    #[test]
    fn holds_what_it_was_given() {
        assert_eq!(super::shelf_at(2), 30);
    }

    #[test]
    #[should_panic(expected = "the len is 3 but the index is 7")]
    fn has_three_places() {
        super::at(7);
    }
}

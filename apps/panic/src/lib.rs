// SPDX-License-Identifier: BSD-2-Clause
//! A library with a bug, to show the output of a panic.
#![no_std]

static PLACES: [i32; 3] = [10, 20, 30];

fn at(place: usize) -> i32 {
    PLACES[place]
}

/// Returns the number at `place` of the shelf. The index is not checked, so a bad one panics.
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

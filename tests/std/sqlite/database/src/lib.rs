// SPDX-License-Identifier: BSD-2-Clause

//! A table in a database of SQLite, in memory.

use rusqlite::{Connection, Result};

/// Stores the squares of the numbers below `limit`, and returns the sum of those that are even.
#[unsafe(no_mangle)]
pub extern "C" fn sum_of_even_squares(limit: u32) -> i64 {
    sum(limit).unwrap_or_else(|error| panic!("{error}"))
}

fn sum(limit: u32) -> Result<i64> {
    let database = Connection::open_in_memory()?;
    database.execute("CREATE TABLE squares (square INTEGER)", [])?;
    let mut insert = database.prepare("INSERT INTO squares VALUES (?1)")?;
    for number in 0..limit {
        insert.execute([number * number])?;
    }
    database.query_row(
        "SELECT sum(square) FROM squares WHERE square % 2 = 0",
        [],
        |row| row.get(0),
    )
}

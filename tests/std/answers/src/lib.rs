// SPDX-License-Identifier: BSD-2-Clause

//! Event loops of crates, as their users start them, and randomness without a source.

use std::future::pending;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

const SHORT: Duration = Duration::from_millis(2);

/// Runs tokio with all that `full` enables: timers, channels between its threads, and a pair of sockets.
#[unsafe(no_mangle)]
pub extern "C" fn answers_tokio() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return println!("tokio does not start: {error}"),
    };
    runtime.block_on(async {
        let (sender, mut receiver) = mpsc::channel(4);
        let start = Instant::now();
        tokio::spawn(async move {
            for number in 0..10_u32 {
                sleep(SHORT).await;
                if sender.send(number).await.is_err() {
                    break;
                }
            }
        });
        let mut sum = 0;
        while let Some(number) = receiver.recv().await {
            sum += number;
        }
        println!("tokio: a channel brings {sum}");
        println!(
            "tokio: ten sleeps last long enough: {}",
            start.elapsed() >= 10 * SHORT
        );
        println!(
            "tokio: a timeout ends a wait: {}",
            timeout(SHORT, pending::<()>()).await.is_err()
        );
        let elsewhere = tokio::task::spawn_blocking(|| 6 * 7).await;
        println!("tokio: a thread for what blocks says {elsewhere:?}");
        println!(
            "tokio: a pair of sockets brings {:?}",
            through_a_pair().await
        );
    });
    println!("tokio ends");
}

async fn through_a_pair() -> std::io::Result<usize> {
    let (mut one, mut two) = UnixStream::pair()?;
    // More than the pair holds.
    let writer = tokio::spawn(async move { one.write_all(&[7; 20_000]).await });
    let mut all = Vec::new();
    two.read_to_end(&mut all).await?;
    writer.await??;
    Ok(all.len())
}

/// Runs smol, whose timers wait in a thread of async-io.
#[unsafe(no_mangle)]
pub extern "C" fn answers_smol() {
    let start = Instant::now();
    let sum = smol::block_on(async {
        let (sender, receiver) = smol::channel::bounded(1);
        let task = smol::spawn(async move {
            for number in 0..5_u32 {
                smol::Timer::after(SHORT).await;
                if sender.send(number).await.is_err() {
                    break;
                }
            }
        });
        let mut sum = 0;
        while let Ok(number) = receiver.recv().await {
            sum += number;
        }
        task.await;
        sum
    });
    println!("smol: timers and a channel bring {sum}");
    println!(
        "smol: five sleeps last long enough: {}",
        start.elapsed() >= 5 * SHORT
    );
}

/// Asks for bytes that nobody can guess.
#[unsafe(no_mangle)]
pub extern "C" fn answers_randomness() {
    let error = getrandom::fill(&mut [0; 16]).map_err(|error| error.raw_os_error());
    println!("Randomness without a source: {error:?}");
}

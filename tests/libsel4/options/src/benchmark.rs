// SPDX-License-Identifier: BSD-2-Clause

//! Measurements of a kernel that tracks utilisation.

#[libsel4_test::tests]
pub mod tests {
    use libsel4::{Result, benchmark};
    use libsel4_test::Resources;

    #[test]
    fn entries_of_the_kernel_are_counted(t: &mut Resources) -> Result<()> {
        benchmark::benchmark_reset_log()?;
        t.tcb.benchmark_reset_thread_utilisation();
        for _ in 0..100 {
            benchmark::benchmark_null_syscall();
        }
        benchmark::benchmark_finalize_log();
        let used = t.tcb.benchmark_get_thread_utilisation();
        assert!((100..200).contains(&used.thread.kernel_entries), "{used:?}");
        assert!(used.total.kernel_entries >= used.thread.kernel_entries);
        assert!(used.total.cycles > 0);
        Ok(())
    }
}

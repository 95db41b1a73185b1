//! CPU time and memory of a process, from `/proc`.

use std::time::Duration;

use anyhow::{Context, Result};

/// CPU time that all threads of a process have used so far.
pub fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may contain anything; numbers follow it.
    let (_, numbers) = stat.rsplit_once(')').context("a line of /proc/pid/stat")?;
    let mut numbers = numbers.split_ascii_whitespace().skip(11);
    let mut ticks = || -> Result<u64> { Ok(numbers.next().context("utime and stime")?.parse()?) };
    let ticks = ticks()? + ticks()?;
    Ok(Duration::from_millis(
        ticks * 1000 / rustix::param::clock_ticks_per_second(),
    ))
}

/// The same of several; those that are gone are left out.
pub fn cpu_time_of(pids: impl IntoIterator<Item = u32>) -> Duration {
    pids.into_iter().filter_map(|it| cpu_time(it).ok()).sum()
}

/// Resident memory of a process, in MiB.
pub fn resident_mib(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|it| it.strip_prefix("VmRSS:"))
        .context("VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024)
}

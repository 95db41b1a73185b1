//! CPU time and memory of a process, from `/proc`, and where its CPU time goes, from `perf`.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

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

/// Where the CPU time of a host went, in shares of the whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    pub kernel: f64,
    /// Code of the host and its libraries.
    pub host: f64,
    /// Code that was compiled from components.
    pub guest: f64,
}

/// `perf`, which samples a process. Killed when dropped.
pub struct Profiler {
    perf: Child,
    folder: tempfile::TempDir,
}

impl Profiler {
    /// `None` where there is no `perf`, or it may not look.
    pub fn start(pid: u32) -> Option<Self> {
        let folder = tempfile::tempdir().ok()?;
        let perf = Command::new("perf")
            .args(["record", "-q", "-e", "cpu-clock", "-F", "997", "-p"])
            .arg(pid.to_string())
            .arg("-o")
            .arg(samples(folder.path()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        Some(Self { perf, folder })
    }

    pub fn finish(mut self) -> Result<Split> {
        let pid = Pid::from_raw(self.perf.id().cast_signed()).context("the id of perf")?;
        // Fails if it has ended already, which the report tells.
        let _ = kill_process(pid, Signal::INT);
        self.perf.wait()?;
        let report = Command::new("perf")
            .args(["report", "-q", "--stdio", "-F", "overhead,dso", "-s", "dso"])
            .arg("-i")
            .arg(samples(self.folder.path()))
            .output()?;
        let report = String::from_utf8_lossy(&report.stdout).into_owned();
        parse_report(&report)
    }
}

impl Drop for Profiler {
    fn drop(&mut self) {
        // Fails after `finish`.
        let _ = self.perf.kill();
        let _ = self.perf.wait();
    }
}

fn samples(folder: &Path) -> std::path::PathBuf {
    folder.join("perf.data")
}

/// Lines like `  45.20%  wharf`.
fn parse_report(report: &str) -> Result<Split> {
    let mut split = Split {
        kernel: 0.0,
        host: 0.0,
        guest: 0.0,
    };
    for line in report.lines() {
        let Some((share, file)) = line.trim().split_once('%') else {
            continue;
        };
        let (share, file) = (share.trim().parse::<f64>()? / 100.0, file.trim());
        if file.starts_with("[kernel") || file.starts_with("[guest.kernel") {
            split.kernel += share;
        } else if file.ends_with(".cwasm") {
            split.guest += share;
        } else {
            split.host += share;
        }
    }
    let sum = split.kernel + split.host + split.guest;
    ensure!(sum > 0.9, "perf found nothing:\n{report}");
    Ok(split)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_belong_to_the_kernel_the_host_or_a_guest() {
        let report = "\n    50.00%  [kernel.kallsyms]\n    20.00%  wharf\n     5.00%  libc.so.6 \n\
                      25.00%  0b61c4-d25b.cwasm\n";
        let split = parse_report(report).unwrap();
        let expected = Split {
            kernel: 0.5,
            host: 0.25,
            guest: 0.25,
        };
        assert_eq!(split, expected);
        assert!(parse_report("").is_err());
    }
}

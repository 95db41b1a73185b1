//! What is printed: one table of loads, then what is measured once.

use std::fmt;

use crate::load::Measured;
use crate::startup::Starts;

pub struct Report {
    pub rows: Vec<Row>,
    /// Resident, after the load, in bytes: native and ours.
    pub memory: (u64, u64),
    pub starts: Option<Starts>,
    /// Files by name, in bytes.
    pub sizes: Vec<(String, u64)>,
}

pub struct Row {
    pub scenario: &'static str,
    pub connections: usize,
    pub native: Measured,
    pub wharf: Measured,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| | connections | native req/s | wharf req/s | ratio | native p50 / p99 µs | wharf p50 / p99 µs | native CPU/req µs | wharf CPU/req µs |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|")?;
        for Row {
            scenario,
            connections,
            native,
            wharf,
        } in &self.rows
        {
            writeln!(
                f,
                "| {scenario} | {connections} | {:.0} | {:.0} | {:.2} | {} / {} | {} / {} | {:.0} | {:.0} |",
                native.per_second,
                wharf.per_second,
                wharf.per_second / native.per_second,
                native.p50_us,
                native.p99_us,
                wharf.p50_us,
                wharf.p99_us,
                native.cpu_us,
                wharf.cpu_us,
            )?;
        }
        writeln!(f)?;
        if let Some(starts) = &self.starts {
            writeln!(
                f,
                "- start to first answer: {} ms with nothing there yet, {} ms after that, {} ms with the stores running",
                starts.cold.as_millis(),
                starts.warm.as_millis(),
                starts.warm_with_stores.as_millis(),
            )?;
        }
        let (native, wharf) = self.memory;
        writeln!(
            f,
            "- memory after the load: {} MB, native {} MB",
            megabytes(wharf),
            megabytes(native)
        )?;
        let sizes: Vec<_> = self
            .sizes
            .iter()
            .map(|(name, size)| format!("{name} {} MB", megabytes(*size)))
            .collect();
        writeln!(f, "- sizes: {}", sizes.join(", "))
    }
}

/// With one decimal.
fn megabytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(100_000);
    format!("{}.{}", tenths / 10, tenths % 10)
}

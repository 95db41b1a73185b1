//! The printed report: one table of the comparison, and a list of other results.

use std::fmt::{Display, Formatter, Result as Written};
use std::time::Duration;

use anyhow::Result;

use crate::compare::{CROWD, Row, Settings};
use crate::events::Events;
use crate::machine::resident_mib;
use crate::scenario;
use crate::stage::Server;

pub struct Report {
    connections: usize,
    rounds: usize,
    seconds: Duration,
    durable: bool,
    pub rows: Vec<Row>,
    memory: Vec<(&'static str, u64, u64)>,
    pub starts: Vec<(&'static str, Duration)>,
    pub sizes: Vec<(String, u64)>,
    /// Executions of the bare statement per second.
    pub transfers: Option<f64>,
    pub events: Option<Events>,
    /// Scenarios behind a balancer: requests per second of one host, and of two.
    pub balanced: Vec<(&'static str, f64, f64)>,
}

impl Report {
    pub fn new(settings: &Settings, durable: bool) -> Self {
        Self {
            connections: settings.connections,
            rounds: settings.rounds,
            seconds: settings.seconds,
            durable,
            rows: Vec::new(),
            memory: Vec::new(),
            starts: Vec::new(),
            sizes: Vec::new(),
            transfers: None,
            events: None,
            balanced: Vec::new(),
        }
    }

    pub fn add_memory(&mut self, when: &'static str, host: &Server, native: &Server) -> Result<()> {
        self.memory.push((
            when,
            resident_mib(host.target().pid)?,
            resident_mib(native.target().pid)?,
        ));
        Ok(())
    }
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> Written {
        let disk = if self.durable {
            "commits forced to disk"
        } else {
            "nothing forced to disk"
        };
        let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        writeln!(
            out,
            "Client, servers and PostgreSQL on the same {processors} processors; {disk}; {} connections; medians of \
             {} rounds of {} s.\n",
            self.connections,
            self.rounds,
            self.seconds.as_secs_f64(),
        )?;
        writeln!(
            out,
            "| | SQL round trips | native req/s | wharf req/s | ratio | required | native p50 / p99 µs | \
             wharf p50 / p99 µs | CPU µs per request, native / wharf | of it in kernel + host + guest | p50 µs over one \
             connection, native → wharf | req/s over {CROWD} connections, native / wharf |"
        )?;
        writeln!(out, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")?;
        for row in &self.rows {
            writeln!(out, "{row}")?;
        }
        writeln!(out)?;
        let send = self.rows.iter().find(|it| it.name == scenario::SEND);
        if let (Some(bare), Some(send)) = (self.transfers, send) {
            writeln!(
                out,
                "- The transfer's statement alone, by pgbench: {bare:.0}/s; native {:.2} ×, wharf {:.2} × of that.",
                send.native.per_second / bare,
                send.host.per_second / bare,
            )?;
        }
        for (name, one, two) in &self.balanced {
            writeln!(
                out,
                "- Behind a balancer on these processors too, {name}: one host {one:.0}/s, two {two:.0}/s."
            )?;
        }
        for (what, took) in &self.starts {
            writeln!(out, "- First response, {what}: {} ms.", took.as_millis())?;
        }
        for (when, host, native) in &self.memory {
            writeln!(
                out,
                "- Memory, {when}: wharf {host} MiB, native {native} MiB."
            )?;
        }
        if let Some(events) = &self.events {
            writeln!(out, "{events}")?;
        }
        if !self.sizes.is_empty() {
            let sizes: Vec<_> = self
                .sizes
                .iter()
                .map(|(name, bytes)| format!("{name} {}", size(*bytes)))
                .collect();
            writeln!(out, "- Sizes: {}.", sizes.join(", "))?;
        }
        Ok(())
    }
}

impl Display for Row {
    fn fmt(&self, out: &mut Formatter<'_>) -> Written {
        let met = |is_met| if is_met { "met" } else { "**missed**" };
        let ratio = self
            .required
            .map(|it| format!("{it:.2} {}", met(self.ratio >= it)));
        let within = self.within.map(|it| {
            let most = it.as_secs_f64() * 1e6;
            format!("{most:.0} µs {}", met(self.host_single_us <= most))
        });
        let required: Vec<_> = ratio.into_iter().chain(within).collect();
        let required = required.join(", ");
        let split = self.split.map(|it| {
            let us = |share: f64| share * self.host.cpu_us;
            let (kernel, host, guest) = (us(it.kernel), us(it.host), us(it.guest));
            format!("{kernel:.0} + {host:.0} + {guest:.0}")
        });
        let split = split.unwrap_or_default();
        let Self {
            name,
            statements,
            native,
            host,
            crowd: (native_crowd, host_crowd),
            ..
        } = self;
        let crowd = match host_crowd / native_crowd {
            ratio if ratio.is_nan() => "some were sent away".to_owned(),
            ratio => format!("{native_crowd:.0} / {host_crowd:.0}: {ratio:.2} ×"),
        };
        write!(
            out,
            "| {name} | {statements} | {:.0} | {:.0} | {:.2} × | {required} | {:.0} / {:.0} | {:.0} / {:.0} | \
             {:.0} / {:.0} | {split} | {:.0} → {:.0}: {:+.0} | {crowd} |",
            native.per_second,
            host.per_second,
            self.ratio,
            native.p50_us,
            native.p99_us,
            host.p50_us,
            host.p99_us,
            native.cpu_us,
            host.cpu_us,
            self.native_single_us,
            self.host_single_us,
            self.overhead_us,
        )
    }
}

fn size(bytes: u64) -> String {
    let kib = bytes / 1024;
    if kib < 10_000 {
        format!("{kib} KiB")
    } else {
        format!("{} MiB", kib / 1024)
    }
}

//! A seeded random walk over the whole platform beside a model of it, while the host is killed and stores go
//! away in the middle of requests.
//!
//! Short here; `infra/test --soak 1h --seed 7` walks for as long as wanted and where that seed leads.

mod audit;
mod chaos;
mod model;
mod steps;

use std::env;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use steps::Walk;

const SHORT: Duration = Duration::from_secs(20);

/// Says how to walk the same way again when a step fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("again: infra/test --soak 10m --seed {}", self.0);
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|it| it.parse().unwrap())
}

#[test]
fn the_platform_agrees_with_its_model_wherever_a_random_walk_leads() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = Seed(number("WALK_SEED").unwrap_or(u64::from(now.subsec_micros())));
    let length = number("WALK_SECONDS").map_or(SHORT, Duration::from_secs);
    let mut walk = Walk::start(seed.0);
    let began = Instant::now();
    while began.elapsed() < length {
        walk.step();
    }
    walk.finish();
}

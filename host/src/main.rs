//! `wharf`.
mod compose;
mod cron;
mod engine;
mod function;
mod guest;
mod http;
mod journal;
mod listener;
mod metrics;
mod redis_trigger;

fn main() {}

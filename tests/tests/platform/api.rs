//! The API description, held against the running platform: a typed client that was made from it, and a walk
//! over every operation.

mod actor;
mod attempt;
mod client;
mod known;
mod spoiling;
mod values;
mod walk;

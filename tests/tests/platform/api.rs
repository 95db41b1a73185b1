//! The API description, held against the running platform: a typed client that was made from it, and a walk
//! over every operation.

mod actor;
mod attempt;
mod client;
mod excused;
mod judge;
mod known;
mod values;
mod walk;

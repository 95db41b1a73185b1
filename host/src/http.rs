//! The HTTP trigger. `server` (sockets) hands each request to `service` (routes, refusals, records),
//! which hands it to a `function` (bounded, in time), whose instances answer it: each `alone` (asked `whole` or
//! `streamed`) or `shared`.

pub mod alone;
pub mod body;
pub mod call;
pub mod client;
pub mod function;
pub mod headers;
pub mod linger;
pub mod local;
pub mod problem;
pub mod record;
pub mod server;
pub mod service;
pub mod shared;
pub mod streamed;
pub mod whole;

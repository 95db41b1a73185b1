//! The HTTP trigger. `server` (sockets) passes each request to `service` (routes, refusals, access log), which
//! passes it to a `function` (limits of one component). The function calls an instance: `exclusive` instances
//! serve one request at a time (passed `whole` or `streamed`), `shared` ones serve several.

pub mod bearer;
pub mod body;
pub mod call;
pub mod client;
pub mod connections;
pub mod cors;
pub mod drain;
pub mod exclusive;
pub mod function;
pub mod head;
pub mod headers;
pub mod local;
pub mod metrics_guard;
pub mod paced;
pub mod pending;
pub mod problem;
pub mod record;
pub mod server;
pub mod service;
pub mod shared;
pub mod stalled;
pub mod streamed;
pub mod whole;

//! HTTP: from the host's request to the answer, and the description of both.
//!
//! A component has one route table ([`Routes`]). From its lines come the router, the checks of a request
//! and the operation in the API description, because all three read the handler's signature.

pub mod answer;
mod arguments;
mod body;
mod call;
mod dialect;
mod html;
mod network;
#[cfg(not(target_family = "wasm"))]
pub mod openapi;
mod operation;
pub mod outbound;
mod page;
mod paging;
mod problem;
mod reply;
mod request_id;
mod router;
mod routes;
mod schema;
mod segments;
pub mod whole;

pub use answer::answer;
pub use arguments::Arguments;
pub use body::{Form, Json, Path, Query};
pub(crate) use body::{bytes_of, read_json};
pub use call::Call;
pub use dialect::Dialect;
pub use html::escape_html;
pub use network::{CLIENT, Network, client_address, network_of};
pub use operation::{Describe, Input, Operation, Output, Security};
pub use page::Page;
pub use paging::{Next, Paging, Part, page_rows};
pub use problem::{FieldError, Problem, Refusals};
pub use reply::{Created, Listed, NoContent};
pub use request_id::RequestId;
pub(crate) use router::CanonicalPath;
pub use router::Router;
pub use routes::{Paths, RefusalPage, Routes};
pub use schema::Schema;
#[cfg(not(target_family = "wasm"))]
pub use schemars;

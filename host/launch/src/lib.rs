//! Starts programs that serve, for the tests and the benchmark: the host above all.
//!
//! [`up`] is the command line of `wharf up`, [`launch`] starts it and waits for the line of JSON that says
//! where it serves, and a [`Server`] is what runs then: it is asked for its [`Log`], suspended, stopped or
//! killed. [`link_application`] lays out a folder that looks to the host like the clone.
//!
//! Everything blocks. Nothing here knows what an application does.

mod failure;
mod folder;
mod log;
mod manifest;
mod server;
mod spawn;

pub use failure::{Failure, Result};
pub use folder::{link_application, link_cache, repository};
pub use log::Log;
pub use manifest::{extend_manifest, remove_listeners};
pub use server::{Server, built_wharf, launch, up, wharf};

//! The client for Rust, as `wharf-api clients` writes it: that it compiles here is a test of it, and the
//! platform's tests call the platform with it.

include!(concat!(env!("OUT_DIR"), "/wharf.rs"));

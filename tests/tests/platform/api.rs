//! The API description, held against the running platform: a typed client that was made from it.

mod client;

//! The platform as those outside it see it. One module per area; [`wharf_tests`] is what they stand on.
// A test fails by panicking, in its helpers too.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod api;
mod architecture;
mod bookings;
mod clones;
mod console;
mod examples;
mod faults;
mod fines;
mod functions;
mod grants;
mod jobs;
mod modpacks;
mod notify;
mod orders;
mod payments;
mod sandbox_psp;
mod serving;
mod signin;
mod sql;
mod telegram;
mod walk;

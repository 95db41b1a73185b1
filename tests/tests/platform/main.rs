//! The platform as those outside it see it. One module per area; [`wharf_tests`] is what they stand on.

mod architecture;
mod bookings;
mod faults;
mod payments;
mod serving;
mod signin;
mod sql;

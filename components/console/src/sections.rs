//! The parts of the console. Each is a table of routes below `/console`.

pub mod account;
pub mod bookings;
pub mod control;
pub mod fines;
pub mod kitchen;
pub mod operations;
pub mod packs;
pub mod parking;
pub mod people;
pub mod places;
pub mod session;
pub mod shops;
pub mod treasury;
pub mod wallet;

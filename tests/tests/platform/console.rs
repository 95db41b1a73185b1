//! The console in a browser: what people see and fill in, with the real functions behind it.

mod account;
mod bookings;
mod control;
mod fines;
mod kitchen;
mod operations;
mod packs;
mod parking;
mod people;
mod places;
mod session;
mod shops;
mod treasury;
mod wallet;

//! Sign-in: who people are, and the tokens by which every other function knows them.

mod access;
mod accounts;
mod bodies;
mod crowds;
mod dialects;
mod events;
mod issuers;
mod parking;
mod people;
mod proofs;
mod sessions;
mod stores_away;
mod tokens;

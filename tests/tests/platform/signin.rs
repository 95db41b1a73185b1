//! Sign-in: who people are, and the tokens by which every other function knows them.

mod access;
mod accounts;
mod admins;
mod audit;
mod bodies;
mod crowds;
mod dialects;
mod events;
mod import;
mod issuers;
mod mailboxes;
mod parking;
mod people;
mod proofs;
mod recent_proof;
mod sessions;
mod stores_away;
mod tokens;

pub(crate) use recent_proof::aged;

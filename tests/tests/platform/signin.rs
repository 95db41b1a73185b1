//! Sign-in: who people are, and the tokens by which every other function knows them.

mod accounts;
mod bodies;
mod events;
mod parking;
mod tokens;

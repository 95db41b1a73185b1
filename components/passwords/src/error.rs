//! Every refusal of this component.

use kit::Refusals;

#[derive(Debug, Refusals)]
pub enum Error {
    #[refusal(503, "no-randomness", "The machine has no random numbers for a salt")]
    NoRandomness,
}

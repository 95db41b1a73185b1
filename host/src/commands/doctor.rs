//! `wharf doctor`.
use crate::cli;
use crate::failure::Result;

pub fn run(_args: &cli::Doctor) -> Result<()> {
    Ok(())
}

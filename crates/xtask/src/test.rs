use anyhow::Result;

use crate::shell::{cache, cargo, cli, root, shared_data};
use crate::{setup, wasm};

/// Everything that a change has to pass.
pub fn run() -> Result<()> {
    Ok(())
}

pub fn fuzz(_seconds: u32) -> Result<()> {
    let _ = (cache(), cargo(), cli(), root(), shared_data());
    let _ = (setup::all, wasm::check);
    Ok(())
}

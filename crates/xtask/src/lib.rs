//! Set-up and tests of this repository. `main.rs` is the command; benchmarks and generators, which are crates of
//! their own, use what is here.

pub mod aarch64;
pub mod lint;
pub mod native;
pub mod setup;
pub mod shell;
pub mod site;
pub mod style;
pub mod test;
pub mod wasm;
pub mod web;

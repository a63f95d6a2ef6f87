//! The oracle: a slow, obvious reference for the engine, for tests and fuzzing only.
//!
//! It decodes whole texts with plain decoders that carry the origin of every byte ([`cells`]), tries every rule at
//! every place of every reading ([`naive`]) and says which raw bytes must not survive. It promises a lower bound: the
//! engine has to mask at least these bytes, and may mask more (whole runs, wider readings, more depth).
//!
//! [`fuzz`] and [`second_pass`] hold the properties; each takes any bytes, and is called by one line in `fuzz/fuzz_targets/` and by
//! the property tests here.

mod carriers;
mod cells;
mod draw;
pub mod fuzz;
mod naive;
mod sample;
pub mod second_pass;

#[cfg(test)]
mod long_tests;
#[cfg(test)]
mod matrix_tests;
#[cfg(test)]
mod tests;

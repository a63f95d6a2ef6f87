//! Keyed tokens: what stands in place of a person's value so that records can still be tied together.
//!
//! A token is `class_` + 2 characters of epoch + 11 of body + 1 check character, all of one lower-case
//! base-32 alphabet without `i l o u`: `em_k792de85ak3fev`. The body is the first 55 bits of
//! HMAC-SHA-256 over the *normalised* value, under a subkey of the epoch's random key that is bound to
//! class, region and epoch. Equal values give equal tokens within an epoch and region; without the key
//! nothing can be computed, and with the key destroyed nothing can be recomputed.
//!
//! - [`class`]: what kinds of values have tokens, with their short and long names
//! - [`normalise`]: one form for all spellings of a value
//! - [`form`]: the text of a token, its check character and its recognition
//! - [`mint`]: normalised value in, token out

pub mod class;
pub mod form;
pub mod mint;
pub mod normalise;

pub use class::TokenClass;
pub use form::{EpochId, Token};
pub use mint::{Key, Minter};

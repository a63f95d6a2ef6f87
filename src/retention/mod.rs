//! Where a record will be kept and for how long: the 90-day promise as a computation, not a belief. Pure.
//!
//! A retention tag does nothing by itself. Each log goes to the *first* index whose filter matches, in
//! the site's configured order; that index's days decide. This module evaluates index filters against
//! what is known of this host's records ([`filter`]) and judges the route they take ([`route`]).
//! What cannot be evaluated is answered *unknown*, never *ok*.

pub mod filter;
pub mod plan;
pub mod route;

pub use filter::{Facts, Filter, Truth};
pub use route::{Archive, Exclusion, Index, Problem, Verdict, judge};

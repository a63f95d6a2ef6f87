//! What does not hold yet: number of the case and where (`bare`, or the carriers). The lists may only become shorter.

/// Cases as they stand.
pub(super) const CASES: &[(u16, &str)] = &[];

/// Cases in carriers.
pub(super) const CARRIED: &[(u16, &str)] = &[];

/// Pairs of tokens that hide each other when nothing stands between: exactly so many.
pub(super) const DIRECT_NEIGHBOURS: usize = 0;

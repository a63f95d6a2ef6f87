//! What does not hold yet: number of the case and where (`bare`, or the carriers). The lists may only become shorter.

/// Cases as they stand.
pub(super) const CASES: &[(u16, &str)] = &[];

/// 120: the token's alphabet holds `%`, so an encoded blank and the word behind it go too.
pub(super) const CARRIED: &[(u16, &str)] = &[(120, "query query-twice")];

/// Pairs of tokens that hide each other when nothing stands between: exactly so many.
pub(super) const DIRECT_NEIGHBOURS: usize = 0;

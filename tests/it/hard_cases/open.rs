//! What does not hold yet: number of the case and where (`bare`, or the carriers). The lists may only become shorter.

/// Cases as they stand.
///
/// 200: an e-mail address is read over the end of a password in a URL, so its host goes too.
/// 90: a second pass takes a word of a label for context. 140: a second pass takes `SignedHeaders` for a secret.
/// 178: `kod:` names a one-time code. 186: the column's name stands on another record.
pub(super) const CASES: &[(u16, &str)] = &[(90, "bare"), (178, "bare"), (186, "bare"), (200, "bare")];

/// 93: a keyed value does not end at `&amp;`.
/// 120: the token's alphabet holds `%`, so an encoded blank and the word behind it go too.
pub(super) const CARRIED: &[(u16, &str)] = &[(93, "xml-attribute xml-element"), (120, "query query-twice")];

/// Pairs of tokens that hide each other when nothing stands between: exactly so many.
pub(super) const DIRECT_NEIGHBOURS: usize = 0;

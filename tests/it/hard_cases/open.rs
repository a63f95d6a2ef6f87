//! Cases that do not hold yet: number and where (`bare`, or the carriers). Both lists may only become shorter.

pub(super) const CASES: &[(u16, &str)] = &[];

pub(super) const CARRIED: &[(u16, &str)] = &[];

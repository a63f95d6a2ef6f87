//! Where reading of a journal goes on: at the saved entry, inclusively, so that it can be told whether that
//! entry is still there.
//!
//! A cursor that leads to no entry makes `journalctl` go to the nearest one, without saying so. Skipping "the
//! first entry" would then lose one; therefore it is skipped only when it is the saved one.

/// Where a child begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Begin {
    /// At the journal's first entry.
    First,
    /// At the entry of this cursor.
    Cursor(String),
    /// At this time, Unix microseconds: the cursor led nowhere, or reading began then.
    Time(u64),
    /// At the first entry since the machine was started: the cursor is of the future.
    Boot,
}

/// True when two cursors name the same entry. The text may differ; sequence id and number, or boot and its
/// clock with the content's hash, decide.
pub fn same_entry(a: &str, b: &str) -> bool {
    let both = |key| part(a, key).is_some() && part(a, key) == part(b, key);
    a == b || both("s=") && both("i=") || both("b=") && both("m=") && both("x=")
}

/// The time of the entry that a cursor names, Unix microseconds.
pub fn time_of(cursor: &str) -> Option<u64> {
    u64::from_str_radix(part(cursor, "t=")?, 16).ok()
}

/// Where to go on when nothing came from the saved cursor.
pub fn instead_of(cursor: &str, now_micros: u64) -> Begin {
    match time_of(cursor) {
        Some(time) if time <= now_micros => Begin::Time(time),
        _ => Begin::Boot,
    }
}

fn part<'c>(cursor: &'c str, key: &str) -> Option<&'c str> {
    cursor.split(';').find_map(|part| part.strip_prefix(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_compared_by_what_they_name() {
        let one = "s=aa;i=1f;b=bb;m=10;t=5f0;x=cc";
        assert!(same_entry(one, one));
        assert!(same_entry(one, "s=aa;i=1f;b=bb;m=11;t=5f1;x=cd"), "the same number of the same sequence");
        assert!(same_entry(one, "s=ab;i=2;b=bb;m=10;t=5f0;x=cc"), "copied into another file");
        assert!(!same_entry(one, "s=aa;i=20;b=bb;m=11;t=5f0;x=cc"));
        assert!(!same_entry("", "s=aa"));
        assert_eq!(time_of(one), Some(0x5f0));
        assert_eq!(instead_of(one, 0x5f0), Begin::Time(0x5f0));
        assert_eq!(instead_of(one, 0x5ef), Begin::Boot);
        assert_eq!(instead_of("damaged", 1), Begin::Boot);
    }
}

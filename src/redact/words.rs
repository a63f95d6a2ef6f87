//! Lists of words. Most words of a text are in none: the first letter and the length tell that without a comparison.

/// A list of words, ASCII letters in either case.
pub(crate) struct Words {
    list: &'static [&'static str],
    /// By the first byte, its case lost: the lengths that words of the list have, one bit each.
    lengths: [u32; 32],
}

/// Longer words share a bit.
const LONGEST: usize = 31;

impl Words {
    /// The words of `list`, none of which is empty.
    pub(crate) const fn new(list: &'static [&'static str]) -> Words {
        let (mut lengths, mut at) = ([0; 32], 0);
        while at < list.len() {
            let word = list[at].as_bytes();
            let length = if word.len() < LONGEST { word.len() } else { LONGEST };
            lengths[(word[0] & 31) as usize] |= 1 << length;
            at += 1;
        }
        Words { list, lengths }
    }

    /// Whether `word` is one of them.
    #[inline]
    pub(crate) fn has(&self, word: &[u8]) -> bool {
        word.first().is_some_and(|first| self.lengths[usize::from(first & 31)] >> word.len().min(LONGEST) & 1 == 1)
            && self.list.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_look_hides_no_word() {
        static WORDS: Words = Words::new(&["is", "è", "jest", "(null)", "a word of more than thirty-one bytes"]);
        for known in WORDS.list {
            assert!(WORDS.has(known.as_bytes()) && WORDS.has(known.to_ascii_uppercase().as_bytes()), "{known}");
        }
        for other in ["", "i", "iss", "é", "jes", "a word of more than thirty-one bytez"] {
            assert!(!WORDS.has(other.as_bytes()), "{other}");
        }
    }
}

//! Class bitmaps: for 64 bytes at a time, one bit a byte for each kind of character that a trigger asks
//! about.
//!
//! The only file with `unsafe` code: it loads 32 bytes into a vector register and calls functions that the
//! processor was asked about. The portable form gives the same bits; a test compares them.
#![allow(unsafe_code)]

/// Kinds of characters with a bitmap of their own.
pub(super) mod class {
    /// `0-9`
    pub(in crate::redact) const DIGIT: usize = 0;
    /// `a-f A-F`
    pub(in crate::redact) const HEX_LETTER: usize = 1;
    /// `.`
    pub(in crate::redact) const DOT: usize = 2;
    /// `:`
    pub(in crate::redact) const COLON: usize = 3;
    /// `-`
    pub(in crate::redact) const DASH: usize = 4;
    /// `@`
    pub(in crate::redact) const AT: usize = 5;
    /// `0-9 A-Z a-z _ - ~`
    pub(in crate::redact) const WORD: usize = 6;
    /// `+ /`: with words, what base64 is made of.
    pub(in crate::redact) const PLUS_SLASH: usize = 7;
    /// What encodings of single characters begin with: `\ % & = #`, escape, bytes of invisible or wide
    /// characters (0xC2, 0xE2 and above).
    pub(in crate::redact) const ENCODED: usize = 8;
    /// `A-Z a-z`
    pub(in crate::redact) const LETTER: usize = 9;
    /// How many there are.
    pub(in crate::redact) const COUNT: usize = 10;
}

/// The bitmaps of 64 bytes, by class.
pub(super) type Word = [u64; class::COUNT];

/// Fills `words` with the bitmaps of `text`, one element for each begun 64 bytes; bytes past the end have
/// no class.
pub(super) fn classify(text: &[u8], words: &mut Vec<Word>) {
    words.clear();
    words.reserve(text.len() / 64 + 2);
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        unsafe { avx2::classify(text, words) };
        return;
    }
    each_chunk(text, |chunk| words.push(portable(chunk)));
}

/// Hands out, for each begun 64 bytes of `text`, where they begin and one bit for each letter, digit, `_`, `+` and `~`.
pub(super) fn token_bits(text: &[u8], mut each: impl FnMut(usize, u64)) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        unsafe { avx2::token_bits(text, each) };
        return;
    }
    let mut at = 0;
    each_chunk(text, |chunk| {
        each(at, portable_token_bits(chunk));
        at += chunk.len();
    });
}

fn portable_token_bits(bytes: &[u8; 64]) -> u64 {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'~');
    bytes.iter().rev().fold(0, |bits, &byte| bits << 1 | u64::from(is_token(byte)))
}

/// Runs `work`, compiled for processors that count and find bits in one instruction, where this one does. What `work`
/// calls gains as far as it is inlined.
#[inline(always)]
pub(super) fn with_bit_instructions<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("popcnt")
        && std::arch::is_x86_feature_detected!("lzcnt")
        && std::arch::is_x86_feature_detected!("bmi1")
        && std::arch::is_x86_feature_detected!("bmi2")
    {
        // SAFETY: the processor has all four.
        return unsafe { bits::run(work) };
    }
    work()
}

/// Hands out `text` in pieces of 64 bytes, the last one filled up with zeros.
#[inline(always)]
fn each_chunk(text: &[u8], mut each: impl FnMut(&[u8; 64])) {
    let (chunks, rest) = text.as_chunks::<64>();
    for chunk in chunks {
        each(chunk);
    }
    if !rest.is_empty() {
        let mut last = [0u8; 64];
        last[..rest.len()].copy_from_slice(rest);
        each(&last);
    }
}

/// One byte after another.
fn portable(bytes: &[u8; 64]) -> Word {
    let mut word = [0u64; class::COUNT];
    for (at, &byte) in bytes.iter().enumerate() {
        let bits = CLASSES[usize::from(byte)];
        for (class, mask) in word.iter_mut().enumerate() {
            *mask |= u64::from(bits >> class & 1) << at;
        }
    }
    word
}

/// The classes of every byte, one bit each.
static CLASSES: [u16; 256] = classes();

const fn classes() -> [u16; 256] {
    let mut table = [0u16; 256];
    let mut byte = 0usize;
    while byte < 256 {
        let b = byte as u8;
        let mut bits = 0u16;
        if b.is_ascii_digit() {
            bits |= 1 << class::DIGIT;
        }
        if b.is_ascii_hexdigit() && !b.is_ascii_digit() {
            bits |= 1 << class::HEX_LETTER;
        }
        if b.is_ascii_alphanumeric() || b == b'_' || b == b'-' || b == b'~' {
            bits |= 1 << class::WORD;
        }
        if b.is_ascii_alphabetic() {
            bits |= 1 << class::LETTER;
        }
        bits |= match b {
            b'.' => 1 << class::DOT,
            b':' => 1 << class::COLON,
            b'-' => 1 << class::DASH,
            b'@' => 1 << class::AT,
            b'+' | b'/' => 1 << class::PLUS_SLASH,
            b'\\' | b'%' | b'&' | b'=' | b'#' | 0x1B | 0xC2 | 0xE2.. => 1 << class::ENCODED,
            _ => 0,
        };
        table[byte] = bits;
        byte += 1;
    }
    table
}

#[cfg(target_arch = "x86_64")]
mod bits {
    #[target_feature(enable = "popcnt,lzcnt,bmi1,bmi2")]
    pub(super) fn run<R>(work: impl FnOnce() -> R) -> R {
        work()
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{Word, class, each_chunk};
    use std::arch::x86_64::*;

    /// As [`super::classify`], 32 bytes at once.
    #[target_feature(enable = "avx2")]
    pub(super) fn classify(text: &[u8], words: &mut Vec<Word>) {
        each_chunk(text, |chunk| {
            let (low, high) = halves(chunk);
            let (low, high) = (masks(low), masks(high));
            let mut word = [0u64; class::COUNT];
            for (class, mask) in word.iter_mut().enumerate() {
                *mask = u64::from(low[class]) | u64::from(high[class]) << 32;
            }
            words.push(word);
        });
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn halves(chunk: &[u8; 64]) -> (__m256i, __m256i) {
        let (low, high) = chunk.split_at(32);
        // SAFETY: both halves are 32 bytes long, and an unaligned load needs no alignment.
        unsafe { (_mm256_loadu_si256(low.as_ptr().cast()), _mm256_loadu_si256(high.as_ptr().cast())) }
    }

    /// As [`super::token_bits`], 32 bytes at once.
    #[target_feature(enable = "avx2")]
    pub(super) fn token_bits(text: &[u8], mut each: impl FnMut(usize, u64)) {
        let mut at = 0;
        each_chunk(text, |chunk| {
            let (low, high) = halves(chunk);
            each(at, u64::from(mask(token(low))) | u64::from(mask(token(high))) << 32);
            at += chunk.len();
        });
    }

    /// Letters, digits, `_`, `+` and `~`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn token(bytes: __m256i) -> __m256i {
        let letter = up_to(_mm256_or_si256(bytes, _mm256_set1_epi8(0x20)), b'a', 25);
        let marks = either(either(is(bytes, b'_'), is(bytes, b'+')), is(bytes, b'~'));
        either(either(up_to(bytes, b'0', 9), letter), marks)
    }

    /// The bitmaps of 32 bytes.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn masks(bytes: __m256i) -> [u32; class::COUNT] {
        let lower = _mm256_or_si256(bytes, _mm256_set1_epi8(0x20));
        let digit = up_to(bytes, b'0', 9);
        let letter = up_to(lower, b'a', 25);
        let dash = is(bytes, b'-');
        let word = either(either(digit, letter), either(is(bytes, b'_'), either(dash, is(bytes, b'~'))));
        let plus_slash = either(is(bytes, b'+'), is(bytes, b'/'));
        let marks = either(either(is(bytes, b'\\'), is(bytes, b'%')), either(is(bytes, b'&'), is(bytes, b'=')));
        let rare = either(either(is(bytes, b'#'), is(bytes, 0x1B)), either(is(bytes, 0xC2), up_to(bytes, 0xE2, 0x1D)));
        let mut masks = [0; class::COUNT];
        masks[class::DIGIT] = mask(digit);
        masks[class::HEX_LETTER] = mask(up_to(lower, b'a', 5));
        masks[class::DOT] = mask(is(bytes, b'.'));
        masks[class::COLON] = mask(is(bytes, b':'));
        masks[class::DASH] = mask(dash);
        masks[class::AT] = mask(is(bytes, b'@'));
        masks[class::WORD] = mask(word);
        masks[class::PLUS_SLASH] = mask(plus_slash);
        masks[class::ENCODED] = mask(either(marks, rare));
        masks[class::LETTER] = mask(letter);
        masks
    }

    /// Bytes equal to `byte`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn is(bytes: __m256i, byte: u8) -> __m256i {
        _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte as i8))
    }

    /// Bytes from `first` to `first + span`, both included.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn up_to(bytes: __m256i, first: u8, span: u8) -> __m256i {
        let distance = _mm256_sub_epi8(bytes, _mm256_set1_epi8(first as i8));
        _mm256_cmpeq_epi8(_mm256_min_epu8(distance, _mm256_set1_epi8(span as i8)), distance)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn either(one: __m256i, other: __m256i) -> __m256i {
        _mm256_or_si256(one, other)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn mask(bytes: __m256i) -> u32 {
        _mm256_movemask_epi8(bytes) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn portable_words(text: &[u8]) -> Vec<Word> {
        let mut words = Vec::new();
        each_chunk(text, |chunk| words.push(portable(chunk)));
        words
    }

    #[test]
    fn every_byte_has_the_same_classes_either_way() {
        let all: Vec<u8> = (0..=255).collect();
        let mut words = Vec::new();
        classify(&all, &mut words);
        assert_eq!(words, portable_words(&all));
        let (mut bits, mut portable) = (Vec::new(), Vec::new());
        token_bits(&all, |_, word| bits.push(word));
        each_chunk(&all, |chunk| portable.push(portable_token_bits(chunk)));
        assert_eq!(bits, portable);
    }

    proptest! {
        #[test]
        fn vectors_and_the_portable_form_agree(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut words = Vec::new();
            classify(&text, &mut words);
            prop_assert_eq!(words, portable_words(&text));
        }
    }
}

//! The text of a token: `class_` epoch(2) body(11) check(1), and how to recognise one.
//!
//! Alphabet: lower-case base-32 without `i l o u` (Crockford's order). The check character is Luhn's
//! scheme over base 32, taken over the class letters, epoch and body; it catches every single mistyped
//! character and lets the engine know its own output from text that merely looks like it.

use super::class::TokenClass;

/// Digit `n` of the alphabet is `ALPHABET[n]`.
pub const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Characters after the underscore: 2 of epoch, 11 of body, 1 check.
pub const TAIL_LEN: usize = 14;

/// Characters of the body: 55 bits.
pub const BODY_LEN: usize = 11;

/// The longest token: `ipn_` and the tail.
pub const MAX_LEN: usize = 4 + TAIL_LEN;

/// Which epoch's key made a token: a number below 1,024, two characters in text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EpochId(u16);

/// The text of one token, without allocation.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    bytes: [u8; MAX_LEN],
    len: u8,
}

impl EpochId {
    /// The epoch of that number; numbers wrap at 1,024 (39 years of 14-day epochs).
    pub fn from_number(number: u64) -> EpochId {
        EpochId((number % 1024) as u16)
    }

    /// Reads the two characters.
    pub fn parse(text: &str) -> Option<EpochId> {
        let [high, low] = text.as_bytes() else { return None };
        Some(EpochId(u16::from(digit(*high)?) * 32 + u16::from(digit(*low)?)))
    }

    /// The two characters.
    pub fn chars(self) -> [u8; 2] {
        [ALPHABET[usize::from(self.0 / 32)], ALPHABET[usize::from(self.0 % 32)]]
    }
}

impl std::fmt::Display for EpochId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [high, low] = self.chars();
        write!(f, "{}{}", high as char, low as char)
    }
}

impl Token {
    /// Writes the token whose body is the highest 55 bits of `mac`.
    pub fn new(class: TokenClass, epoch: EpochId, mac: &[u8; 8]) -> Token {
        let mut token = Token { bytes: [0; MAX_LEN], len: 0 };
        token.push(class.short().as_bytes());
        token.push(b"_");
        token.push(&epoch.chars());
        let bits = u64::from_be_bytes(*mac) >> 9;
        for place in (0..BODY_LEN).rev() {
            token.push(&[ALPHABET[(bits >> (5 * place)) as usize & 31]]);
        }
        let check = check_digit(class, &token.bytes[class.short().len() + 1..usize::from(token.len)]);
        token.push(&[check]);
        token
    }

    /// The token as text.
    pub fn as_str(&self) -> &str {
        // Only ASCII is ever pushed.
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or("")
    }

    fn push(&mut self, bytes: &[u8]) {
        let at = usize::from(self.len);
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len() as u8;
    }
}

/// The length of the well-formed token that starts at the beginning of `text` and ends at its end or
/// before a character that no token holds.
pub fn token_at(text: &[u8]) -> Option<usize> {
    let underscore = text.iter().take(4).position(|byte| *byte == b'_')?;
    let class = std::str::from_utf8(&text[..underscore]).ok()?;
    let class = TokenClass::ALL.into_iter().find(|known| known.short() == class)?;
    let end = underscore + 1 + TAIL_LEN;
    let tail = text.get(underscore + 1..end)?;
    let ends = text.get(end).is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b'_');
    let (body, check) = tail.split_at(TAIL_LEN - 1);
    let known = tail.iter().all(|byte| digit(*byte).is_some());
    (ends && known && check_digit(class, body) == check[0]).then_some(end)
}

/// Luhn's check over base 32: class letters (by their place in a–z), then epoch and body.
fn check_digit(class: TokenClass, tail: &[u8]) -> u8 {
    let letters = class.short().bytes().map(|letter| (letter - b'a') % 32);
    let digits = tail.iter().map(|byte| digit(*byte).unwrap_or(0));
    let mut sum = 0u32;
    let count = class.short().len() + tail.len();
    for (place, value) in letters.chain(digits).enumerate() {
        let doubled = u32::from(value) * if (count - place) % 2 == 1 { 2 } else { 1 };
        sum += doubled / 32 + doubled % 32;
    }
    ALPHABET[((32 - sum % 32) % 32) as usize]
}

fn digit(byte: u8) -> Option<u8> {
    ALPHABET.iter().position(|known| *known == byte).map(|place| place as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn form_is_class_epoch_body_check() {
        let token = Token::new(TokenClass::Email, EpochId::parse("k7").unwrap(), &[0xff; 8]);
        assert!(token.as_str().starts_with("em_k7zzzzzzzzzzz"), "{}", token.as_str());
        assert_eq!(token.as_str().len(), 3 + TAIL_LEN);
        assert_eq!(token_at(token.as_str().as_bytes()), Some(17));
    }

    #[test]
    fn look_alikes_are_no_tokens() {
        for text in [
            "em_",
            "em_k792de85ak3fe",
            "xx_k792de85ak3fev",
            "em_K792DE85AK3FEV",
            "email_k792de85ak3fev",
            "id_00000000000000x",
        ] {
            assert_eq!(token_at(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_token_is_recognised_and_no_single_typo_is(
            class in 0usize..9, epoch in 0u64..1024, mac: [u8; 8], at in 0usize..TAIL_LEN, typo in 0usize..32,
        ) {
            let class = TokenClass::ALL[class];
            let token = Token::new(class, EpochId::from_number(epoch), &mac);
            let mut text = token.as_str().as_bytes().to_vec();
            prop_assert_eq!(token_at(&text), Some(text.len()));
            let place = class.short().len() + 1 + at;
            if text[place] != ALPHABET[typo] {
                text[place] = ALPHABET[typo];
                prop_assert_eq!(token_at(&text), None);
            }
            text.push(b'x');
            prop_assert_eq!(token_at(&text), None);
        }

        #[test]
        fn epochs_round_trip(number in 0u64..1024) {
            let epoch = EpochId::from_number(number);
            prop_assert_eq!(EpochId::parse(&epoch.to_string()), Some(epoch));
        }
    }
}

//! `otp-code`: the digits of a one-time code in the sentence that hands it over. `exit code 137` and
//! `status code 404` are other codes: only phrases that speak of verification count.

use super::ShapeHit;
use super::edge::{digit_at, word_after, word_before};
use crate::redact::validate::Verdict;

pub(super) const PHRASES: &[&str] = &[
    "verification code",
    "security code",
    "confirmation code",
    "one-time code",
    "one time code",
    "one-time password",
    "one-time passcode",
    "login code",
    "sign-in code",
    "access code",
    "authentication code",
    "auth code",
    "2fa code",
    "mfa code",
    "sms code",
    "otp code",
    "otp is",
    "otp:",
    "your code is",
    "your+code+is",
    "twoj kod to",
    "twoj kod:",
    "twój nowy pin to",
    "your code:",
    "twój kod to",
    "twój kod:",
    "kod:",
    "passcode",
    "kod weryfikacyjny",
    "kod weryfikacji",
    "kod sms",
    "kod jednorazowy",
    "kod potwierdzenia",
    "kod autoryzacyjny",
    "kod dostępu",
    "bestätigungscode",
    "code de vérification",
    "votre code est",
    "il suo codice è",
    "il tuo codice è",
    "codice di verifica",
    "su código es",
    "tu código es",
    "código de verificación",
    "ihr code lautet",
    "dein code lautet",
    "verificatiecode",
    "uw code is",
    "body=\"code ",
    "sent the code",
    "sending code",
    "one-time pin",
    "sicherheitscode",
    "einmalcode",
    "einmalpasswort",
    "sms-code",
    "code sms",
    "code de sécurité",
    "code de confirmation",
    "code à usage unique",
    "code d'authentification",
    "codice di sicurezza",
    "codice sms",
    "código sms",
    "código de seguridad",
    "código de confirmación",
    "código de un solo uso",
    "clave de un solo uso",
    "kod bezpieczeństwa",
    "kod uwierzytelniający",
    "hasło jednorazowe",
];

/// How far after the phrase the code may stand, in bytes.
const REACH: usize = 32;

pub(super) fn find(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let phrase = PHRASES.iter().find(|phrase| super::edge::starts_with_fold(&text[at..], phrase))?;
    if word_before(text, at, floor) {
        return None;
    }
    let from = at + phrase.len();
    if *phrase == "kod:" {
        return six_behind(text, from, floor);
    }
    let limit = text.len().min(from + REACH);
    let ahead = (from..limit).take_while(|i| !matches!(text[*i], b'\n' | b'{' | b'}')).find(|i| digit_at(text, *i));
    if let Some((start, end)) = ahead.and_then(|start| Some((start, code_end(text, start, floor)?))) {
        return Some(ShapeHit::new(start, end, Verdict::Proves));
    }
    let (start, end) = behind(text, at, floor)?;
    Some(ShapeHit { resume: from as u32, ..ShapeHit::new(start, end, Verdict::Proves) })
}

/// Six digits right behind `kod:`, which alone may name many things.
fn six_behind(text: &[u8], from: usize, floor: usize) -> Option<ShapeHit> {
    let start = from + usize::from(text.get(from) == Some(&b' '));
    let six = (start..start + 6).all(|at| digit_at(text, at));
    let end = six.then(|| code_end(text, start, floor)).flatten()?;
    (end == start + 6).then(|| ShapeHit::new(start, end, Verdict::Proves))
}

/// End of four to eight digits, perhaps in two halves (`123 456`, `123-456`), standing free.
fn code_end(text: &[u8], start: usize, floor: usize) -> Option<usize> {
    let run = |at: usize| text[at..].iter().take(9).take_while(|b| b.is_ascii_digit()).count();
    let first = run(start);
    let mut end = start + first;
    if first == 3 && matches!(text.get(end), Some(b' ' | b'-')) && run(end + 1) == 3 {
        end += 4;
    }
    let digits = if end > start + first { 6 } else { first };
    let prefixed = start >= floor + 2 && text[start - 1] == b'-' && text[start - 2].is_ascii_uppercase();
    // `build-77581` names a thing.
    let glued = start >= floor + 2 && text[start - 1] == b'-' && text[start - 2].is_ascii_lowercase();
    let free = prefixed || !glued && !word_before(text, start, floor);
    let dated = matches!(text.get(end), Some(b'-' | b':' | b'/' | b'.')) && digit_at(text, end + 1);
    ((4..=8).contains(&digits) && free && !dated && !word_after(text, end)).then_some(end)
}

/// `482913 is your verification code`: digits before the phrase, words between.
fn behind(text: &[u8], at: usize, floor: usize) -> Option<(usize, usize)> {
    let lowest = floor.max(at.saturating_sub(32));
    let end = (lowest..at).rev().find(|i| text[*i].is_ascii_digit())? + 1;
    let between = &text[end..at];
    let verb = between.starts_with(b" is ") || between.starts_with(b" to ") || between.starts_with(b" - ");
    let mut start = end;
    while start > lowest && text[start - 1].is_ascii_digit() {
        start -= 1;
    }
    (verb && code_end(text, start, floor) == Some(end)).then_some((start, end))
}

//! Plain words as passwords: `the password is marigold`. A sentence about a password ends in plain words too, so a word
//! counts only where the clause ends behind it, and not when it is one that tells of passwords.

use super::bare::{self, Style};
use super::scope::Scope;
use crate::redact::words::Words;

/// Verbs that equate a key with the word behind them.
pub(crate) static IS: Words = Words::new(&["is", "was", "ist", "lautet", "jest", "brzmi", "to", "est", "es", "è"]);

/// Words that go on behind a clause.
#[rustfmt::skip]
const GO_ON: &[&str] = &[
    "a", "aber", "ale", "and", "at", "bis", "bitte", "but", "by", "e", "en", "et", "for", "from", "für", "i", "in", "mais", "na",
    "now", "on", "oraz", "para", "pero", "please", "pour", "sur", "und", "until", "w", "y",
];

/// What sentences say of passwords.
#[rustfmt::skip]
static SAID: Words = Words::new(&[
    "abgelaufen", "absent", "actually", "added", "alone", "already", "another", "arbitrary", "base64", "basic", "blocked",
    "broken", "bytes", "cleartext", "common", "compliant", "compulsory", "correct", "correcta", "correcte", "corretta", "debil",
    "default", "diferente", "different", "empty", "equal", "error", "erroneous", "exact", "expirada", "faible", "falsch",
    "false", "fehlerhaft", "fine", "fragile", "fresh", "given", "good", "gone", "great", "hash", "hidden", "identical",
    "identique", "incorrect", "incorrecta", "incorrecte", "incorreto", "inherited", "insecure", "invalid", "invalida", "invalide",
    "known", "korrekt", "large", "latin", "least", "letters", "likely", "long", "longer", "login", "manager", "mandatory",
    "masked", "match", "matching", "merely", "missing", "needed", "never", "niepoprawne", "nieprawidlowe", "notwendig",
    "noted", "obligatoire", "obligatoria", "obsolete", "often", "optional", "plain", "plaintext", "policy", "poprawne", "present",
    "private", "prompt", "proper", "puste", "random", "ready", "rejected", "requerida", "required", "requise", "reset", "richtig",
    "requis", "exige", "inconnu", "perdu", "oublie", "right", "rules", "safe", "salted", "same", "secret", "secure", "segura", "sehr", "shared", "short", "shorter", "sicher",
    "silne", "simple", "slabe", "still", "string", "strong", "temporary", "there", "therefore", "unclear", "unique", "unknown",
    "unsafe", "unsicher", "upper", "useless", "valid", "valida", "valide", "vazia", "vide", "visible", "vital", "warning", "weak",
    "weaker", "where", "wrong", "wymagane", "years", "zwingend",
]);

/// Ends of words that tell what happened to a password, or how it is.
#[rustfmt::skip]
const ENDS: &[&str] = &[
    "able", "ible", "ally", "ance", "ated", "bare", "bly", "ed", "ence", "ent", "ful", "ing", "ion", "ity", "ive", "less",
    "lich", "ment", "ness", "nly", "ntly", "ous", "rdy", "sly", "tely", "tten", "ught", "own", "ary", "ory", "ert", "tigt",
];

/// Whether a key is a word for a password, not for a token or a key.
pub(crate) fn speaks_of_password(key: &[u8]) -> bool {
    const WORDS: &[&str] =
        &["pass", "passwor", "wort", "has", "contrase", "heslo", "senha", "parola", "wachtwoord", "mdp"];
    WORDS.iter().any(|word| key.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes())))
}

/// Whether a word may be a password of small letters that stands for itself.
pub(crate) fn is_weak(word: &[u8]) -> bool {
    (5..=20).contains(&word.len())
        && word.iter().all(u8::is_ascii_lowercase)
        && !SAID.has(word)
        && !ENDS.iter().any(|end| word.ends_with(end.as_bytes()))
        && !word.starts_with(b"ge")
}

/// Whether a clause ends at `at`: punctuation, the end of the text, or a word that goes on behind one.
pub(crate) fn ends_clause(scope: Scope<'_>, at: usize) -> bool {
    match scope.byte(at) {
        None => true,
        Some(b' ') => {
            let end = bare::end(scope, at + 1, Style::default());
            let word = &scope.text[at + 1..end];
            word.is_empty() || word[0] == b'(' || GO_ON.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
        }
        Some(byte) => b".,;!)\"'\\<\n\r".contains(&byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_about_passwords_are_none() {
        for word in ["marigold", "hunter", "trustnoone", "butterfly", "cappuccino", "sunshine"] {
            assert!(is_weak(word.as_bytes()), "{word}");
        }
        for word in [
            "required",
            "incorrect",
            "protected",
            "authentication",
            "falsch",
            "gesetzt",
            "sensitive",
            "currently",
            "Hunter",
            "invalid",
            "forgotten",
            "unknown",
            "policy",
        ] {
            assert!(!is_weak(word.as_bytes()), "{word}");
        }
    }
}

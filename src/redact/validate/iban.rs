//! International account numbers: country, that country's length, ISO 7064 modulus 97-10. And the Polish
//! domestic form, the same number without its country letters.

use super::Verdict;
use super::digits::Compact;

/// An IBAN in either case, with spaces, dashes or pluses between its groups. A wrong length or check
/// refutes; an unknown country is silent when the check passes.
pub(in crate::redact) fn check(candidate: &[u8]) -> Verdict {
    let Some(compact) = Compact::alphanumeric(candidate) else { return Verdict::Refutes };
    check_compact(compact.get())
}

/// The same over upper-case letters and digits without separators.
pub(in crate::redact) fn check_compact(iban: &[u8]) -> Verdict {
    if !(15..=34).contains(&iban.len())
        || !iban[..2].iter().all(u8::is_ascii_uppercase)
        || remainder(&iban[4..], &iban[..4]) != 1
    {
        return Verdict::Refutes;
    }
    match country_len(&iban[..2]) {
        Some(len) if len == iban.len() => Verdict::Proves,
        Some(_) => Verdict::Refutes,
        None => Verdict::Silent,
    }
}

/// Twenty-six digits: a Polish account number as used at home. One random number in 97 passes, so it
/// proves only in its printed grouping 2-4-4-4-4-4-4.
pub(in crate::redact) fn domestic_polish(candidate: &[u8]) -> Verdict {
    let Some(compact) = Compact::alphanumeric(candidate) else { return Verdict::Refutes };
    let number = compact.get();
    if number.len() != 26 || !number.iter().all(u8::is_ascii_digit) {
        return Verdict::Refutes;
    }
    let head = [b'P', b'L', number[0], number[1]];
    if remainder(&number[2..], &head) != 1 {
        return Verdict::Refutes;
    }
    let groups = candidate
        .split(|b| matches!(b, b' ' | b'-' | 0xA0))
        .map(|group| group.iter().filter(|b| b.is_ascii_digit()).count());
    if groups.eq([2, 4, 4, 4, 4, 4, 4]) { Verdict::Proves } else { Verdict::Silent }
}

/// Remainder modulo 97 of the two parts read as one number, letters counting from ten.
fn remainder(front: &[u8], back: &[u8]) -> u32 {
    front.iter().chain(back).fold(0, |rest, byte| match (*byte as char).to_digit(36) {
        Some(value @ 0..=9) => (rest * 10 + value) % 97,
        Some(value) => (rest * 100 + value) % 97,
        None => rest,
    })
}

/// The length every IBAN of the country has.
pub(in crate::redact) fn country_len(country: &[u8]) -> Option<usize> {
    let &[first @ b'A'..=b'Z', second @ b'A'..=b'Z'] = country else { return None };
    let length = BY_LETTERS[usize::from(first - b'A')][usize::from(second - b'A')];
    (length > 0).then_some(usize::from(length))
}

/// Lengths by first and second letter; 0: no such country.
static BY_LETTERS: [[u8; 26]; 26] = {
    let (mut table, mut at) = ([[0; 26]; 26], 0);
    while at < LENGTHS.len() {
        let (code, length) = (LENGTHS[at].0.as_bytes(), LENGTHS[at].1);
        table[(code[0] - b'A') as usize][(code[1] - b'A') as usize] = length as u8;
        at += 1;
    }
    table
};

#[rustfmt::skip]
const LENGTHS: [(&str, usize); 89] = [
    ("AD", 24), ("AE", 23), ("AL", 28), ("AT", 20), ("AZ", 28), ("BA", 20), ("BE", 16), ("BG", 22), ("BH", 22),
    ("BI", 27), ("BR", 29), ("BY", 28), ("CH", 21), ("CR", 22), ("CY", 28), ("CZ", 24), ("DE", 22), ("DJ", 27),
    ("DK", 18), ("DO", 28), ("EE", 20), ("EG", 29), ("ES", 24), ("FI", 18), ("FK", 18), ("FO", 18), ("FR", 27),
    ("GB", 22), ("GE", 22), ("GI", 23), ("GL", 18), ("GR", 27), ("GT", 28), ("HN", 28), ("HR", 21), ("HU", 28),
    ("IE", 22), ("IL", 23), ("IQ", 23), ("IS", 26), ("IT", 27), ("JO", 30), ("KW", 30), ("KZ", 20), ("LB", 28),
    ("LC", 32), ("LI", 21), ("LT", 20), ("LU", 20), ("LV", 21), ("LY", 25), ("MC", 27), ("MD", 24), ("ME", 22),
    ("MK", 19), ("MN", 20), ("MR", 27), ("MT", 31), ("MU", 30), ("NI", 28), ("NL", 18), ("NO", 15), ("OM", 23),
    ("PK", 24), ("PL", 28), ("PS", 29), ("PT", 25), ("QA", 29), ("RO", 24), ("RS", 22), ("RU", 33), ("SA", 24),
    ("SC", 31), ("SD", 18), ("SE", 24), ("SI", 19), ("SK", 24), ("SM", 27), ("SO", 23), ("ST", 25), ("SV", 28),
    ("TL", 23), ("TN", 24), ("TR", 26), ("UA", 29), ("VA", 22), ("VG", 24), ("XK", 20), ("YE", 30),
];

#[cfg(test)]
mod tests {
    use super::super::assert_verdicts;
    use super::*;

    #[test]
    fn good_and_bad() {
        assert_verdicts(
            check,
            Verdict::Proves,
            &[
                "PL61109010140000071219812874",
                "PL61 1090 1014 0000 0712 1981 2874",
                "de89370400440532013000",
                "DE89+3704+0044+0532+0130+00",
                "GB82 WEST 1234 5698 7654 32",
                "NL91ABNA0417164300",
                "FR1420041010050500013M02606",
                "MT84MALT011000012345MTLCAST001S",
                "NO9386011117947",
            ],
        );
        assert_verdicts(
            check,
            Verdict::Refutes,
            &[
                "DE89370400440532013001",
                "DE8937040044053201300",
                "61109010140000071219812874",
                "",
                "PL",
                "PL61_1090",
                "DE893704004405320130000",
            ],
        );
    }

    #[test]
    fn domestic() {
        assert_verdicts(
            domestic_polish,
            Verdict::Proves,
            &["61 1090 1014 0000 0712 1981 2874", "61-1090-1014-0000-0712-1981-2874"],
        );
        assert_verdicts(domestic_polish, Verdict::Silent, &["61109010140000071219812874"]);
        assert_verdicts(
            domestic_polish,
            Verdict::Refutes,
            &["61109010140000071219812875", "6110901014000007121981287", "", "PL61109010140000071219812874"],
        );
    }

    #[test]
    fn lengths_are_sorted() {
        assert!(LENGTHS.is_sorted());
    }
}

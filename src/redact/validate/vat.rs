//! VAT numbers of the European Union, the United Kingdom and Switzerland: country prefix, that country's
//! length and check. Random digits pass one time in ten to ninety-seven, so a word or key must speak too;
//! only the Dutch and Swiss forms are odd enough to prove.

use super::Verdict;
use super::digits::{Compact, ascii_digits, number, weighted};
use super::western_ids::{eleven_test, mod_11_10, spanish_cif, spanish_dni, spanish_nie, weak};
use super::{english_ids, luhn, nip};

/// A VAT number with its country prefix, in any grouping.
pub(in crate::redact) fn check(candidate: &[u8]) -> Verdict {
    let Some(compact) = Compact::alphanumeric(candidate) else { return Verdict::Refutes };
    let vat = compact.get();
    if vat.len() < 4 {
        return Verdict::Refutes;
    }
    if let Some(number) = vat.strip_prefix(b"CHE") {
        return swiss(number);
    }
    let (country, number) = vat.split_at(2);
    match country {
        b"NL" => dutch(number),
        b"FR" => french(number),
        b"IE" => english_ids::irish_pps(number),
        b"ES" => spanish(number),
        b"CY" => cypriot(number),
        b"AT" => number.strip_prefix(b"U").map_or(Verdict::Refutes, |digits| all_digits(digits, austrian)),
        _ => all_digits(number, |digits| country_check(country, digits)),
    }
}

/// Runs `test` over digit values; other characters refute.
fn all_digits(number: &[u8], test: impl Fn(&[u8]) -> Option<bool>) -> Verdict {
    let mut digits = [0; 12];
    if number.len() > 12 || !number.iter().all(u8::is_ascii_digit) {
        return Verdict::Refutes;
    }
    for (digit, byte) in digits.iter_mut().zip(number) {
        *digit = byte - b'0';
    }
    let digits = &digits[..number.len()];
    if digits.iter().all(|d| *d == 0) {
        return Verdict::Refutes;
    }
    // A form without a published check is as silent as a passed one.
    weak(test(digits).unwrap_or(true))
}

/// Whether the digits carry the country's check; nothing when this length has none.
fn country_check(country: &[u8], d: &[u8]) -> Option<bool> {
    let last = |n: usize| u32::from(d[n - 1]);
    Some(match (country, d.len()) {
        (b"BE", 9 | 10) => 97 - number(&d[..d.len() - 2]) % 97 == number(&d[d.len() - 2..]),
        (b"BG", 9) => bulgarian(d) == last(9),
        (b"CZ", 8) => czech_company(d) == last(8),
        (b"CZ", 9) | (b"BG", 10) => return None,
        (b"CZ" | b"SK", 10) => number(d).is_multiple_of(11),
        (b"DE", 9) => d[0] != 0 && mod_11_10(d),
        (b"HR", 11) => mod_11_10(d),
        (b"DK", 8) => weighted(d, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11),
        (b"EE", 9) => weighted(d, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10),
        (b"EL", 9) => weighted(d, &[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10 == last(9),
        (b"FI", 8) => (11 - weighted(d, &[7, 9, 10, 5, 8, 4, 2]) % 11) % 11 == last(8),
        (b"HU", 8) => weighted(d, &[9, 7, 3, 1, 9, 7, 3, 1]).is_multiple_of(10),
        (b"IT", 11) => luhn::passes(d),
        (b"LT", 9) => lithuanian(d, 1) == last(9),
        (b"LT", 12) => lithuanian(d, 1) == last(12),
        (b"LU", 8) => number(&d[..6]) % 89 == number(&d[6..]),
        (b"LV", 11) if d[0] > 3 => latvian_company(d) == Some(last(11)),
        (b"LV", 11) => return None,
        (b"MT", 8) => u64::from(37 - weighted(&d[..6], &[3, 4, 6, 7, 8, 9]) % 37) == number(&d[6..]),
        (b"PL", 10) => nip::passes(d),
        (b"PT", 9) => (11 - weighted(d, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 % 10 == last(9),
        (b"RO", 2..=10) => romanian(d),
        (b"SE", 12) => d[10..] != [0, 0] && luhn::passes(&d[..10]),
        (b"SI", 8) => d[0] != 0 && (11 - weighted(d, &[8, 7, 6, 5, 4, 3, 2]) % 11) % 10 == last(8),
        (b"GB" | b"XI", 9 | 12) => {
            let sum = weighted(d, &[8, 7, 6, 5, 4, 3, 2, 10, 1]) % 97;
            sum == 0 || sum == 42
        }
        _ => false,
    })
}

fn austrian(d: &[u8]) -> Option<bool> {
    let sum: u32 = d
        .iter()
        .take(7)
        .enumerate()
        .map(|(i, digit)| {
            let value = u32::from(*digit) << (i % 2);
            value / 10 + value % 10
        })
        .sum();
    Some(d.len() == 8 && (16 - sum % 10) % 10 == u32::from(d[7]))
}

fn bulgarian(d: &[u8]) -> u32 {
    match weighted(d, &[1, 2, 3, 4, 5, 6, 7, 8]) % 11 {
        10 => weighted(d, &[3, 4, 5, 6, 7, 8, 9, 10]) % 11 % 10,
        check => check,
    }
}

fn czech_company(d: &[u8]) -> u32 {
    match 11 - weighted(d, &[8, 7, 6, 5, 4, 3, 2]) % 11 {
        10 => 0,
        11 => 1,
        check => check,
    }
}

/// Weights start at `first` and wrap from nine to one; a remainder of ten asks again two further on.
fn lithuanian(d: &[u8], first: u32) -> u32 {
    let body = &d[..d.len() - 1];
    let sum: u32 = body.iter().zip(first - 1..).map(|(digit, weight)| u32::from(*digit) * (weight % 9 + 1)).sum();
    match sum % 11 {
        10 if first == 1 => lithuanian(d, 3) % 10,
        check => check,
    }
}

fn latvian_company(d: &[u8]) -> Option<u32> {
    let rest = weighted(d, &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6]) % 11;
    match rest {
        4 => None,
        5.. => Some(14 - rest),
        _ => Some(3 - rest),
    }
}

fn romanian(d: &[u8]) -> bool {
    let mut padded = [0; 10];
    padded[10 - d.len()..].copy_from_slice(d);
    weighted(&padded, &[7, 5, 3, 2, 1, 7, 5, 3, 2]) * 10 % 11 % 10 == u32::from(padded[9])
}

/// `NNNNNNNNNBNN`: modulus 97 over the whole with its country, or the older eleven test.
fn dutch(vat: &[u8]) -> Verdict {
    if vat.len() != 12 || vat[9] != b'B' {
        return Verdict::Refutes;
    }
    let (Some(front), Some(back)) = (ascii_digits::<9>(&vat[..9]), ascii_digits::<2>(&vat[10..])) else {
        return Verdict::Refutes;
    };
    // N = 23, L = 21, B = 11.
    let whole = (2321 * 1_000_000_000 + number(&front)) * 100 + 11;
    let passes = (whole % 97 * 100 + number(&back)) % 97 == 1 || eleven_test(&front);
    if passes { Verdict::Proves } else { Verdict::Refutes }
}

/// Two key characters and the company's nine digits; keys with letters have no simple check.
fn french(vat: &[u8]) -> Verdict {
    if vat.len() != 11 {
        return Verdict::Refutes;
    }
    let Some(company) = ascii_digits::<9>(&vat[2..]) else { return Verdict::Refutes };
    match ascii_digits::<2>(&vat[..2]) {
        Some(key) => weak(number(&key) == (12 + 3 * (number(&company) % 97)) % 97),
        None => weak(luhn::passes(&company)),
    }
}

fn spanish(vat: &[u8]) -> Verdict {
    let passes = [spanish_dni, spanish_nie, spanish_cif].iter().any(|check| check(vat) == Verdict::Silent);
    weak(passes)
}

fn cypriot(vat: &[u8]) -> Verdict {
    const ODD: [u32; 10] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
    if vat.len() != 9 {
        return Verdict::Refutes;
    }
    let Some(digits) = ascii_digits::<8>(&vat[..8]) else { return Verdict::Refutes };
    let sum: u32 =
        digits.iter().enumerate().map(|(i, d)| if i % 2 == 0 { ODD[*d as usize] } else { u32::from(*d) }).sum();
    weak(vat[8] == b'A' + (sum % 26) as u8)
}

fn swiss(vat: &[u8]) -> Verdict {
    let suffix = ["", "MWST", "TVA", "IVA", "TPV"].iter().any(|suffix| vat.get(9..) == Some(suffix.as_bytes()));
    let passes = vat
        .get(..9)
        .and_then(ascii_digits::<9>)
        .is_some_and(|d| (11 - weighted(&d, &[5, 4, 3, 2, 7, 6, 5, 4]) % 11) % 11 == u32::from(d[8]));
    if suffix && passes { Verdict::Proves } else { Verdict::Refutes }
}

#[cfg(test)]
mod tests {
    use super::super::assert_verdicts;
    use super::*;

    #[test]
    fn good_and_bad() {
        #[rustfmt::skip]
        let good = [
            "ATU13585627", "BE0403019261", "BG175074752", "CY10259033P", "CZ25123891", "DE136695976", "DE111222339", "DK13585628",
            "EE100931558", "EL094259216", "ESJ99216582", "ES54362315K", "FI20774740", "FR40303265045", "FR 83 404 833 048", "HR33392005961",
            "HU12892312", "IE6433435F", "IE6433435OA", "IT00743110157", "LT119511515", "LT100001919017", "LU15027442", "LV40003521600",
            "MT11679112", "PL8567346215", "PT501964843", "RO18547290", "SE123456789701", "SI50223054", "SK2022749619", "GB980780684",
        ];
        assert_verdicts(check, Verdict::Silent, &good);
        assert_verdicts(check, Verdict::Proves, &["NL004495445B01", "CHE-100.155.212", "CHE100155212MWST"]);
        #[rustfmt::skip]
        let bad = [
            "ATU13585626", "BE0403019262", "CY10259033Z", "CZ25123890", "DE136695978", "DK13585627", "EE100931557", "EL123456780",
            "ESJ99216583", "FI20774741", "FR41303265045", "HR33392005962", "HU12892313", "IE6433435E", "IT00743110158", "LT119511516",
            "LU15027443", "LV40003521601", "MT11679113", "NL004495446B01", "PL8567346216", "PT501964842", "RO18547291", "SE123456788101",
            "SI50223055", "SK2022749618", "GB802311781", "XX123456789", "DE", "", "DE000000000", "CHE-100.155.213", "PL85673462155",
        ];
        assert_verdicts(check, Verdict::Refutes, &bad);
    }
}

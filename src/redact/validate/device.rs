//! Device and vehicle numbers, and travel documents: IMEI, VIN, machine-readable zones.

use super::Verdict;
use super::digits::Compact;
use super::luhn;
use super::western_ids::weak;

/// IMEI: fifteen digits with Luhn, or sixteen (with software version) without a check.
pub(in crate::redact) fn imei(candidate: &[u8]) -> Verdict {
    let Some(compact) = Compact::digits(candidate) else { return Verdict::Refutes };
    let digits = compact.get();
    let used = digits.iter().any(|d| *d != 0);
    weak(used && (digits.len() == 16 || digits.len() == 15 && luhn::passes(digits)))
}

/// Vehicle number: seventeen characters without I, O, Q and a check digit at the ninth (North America;
/// elsewhere the place is free, so a failed check with the right form is silent too when it is a letter).
pub(in crate::redact) fn vin(candidate: &[u8]) -> Verdict {
    let form = candidate.len() == 17
        && candidate.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase() && !b"IOQ".contains(b))
        && candidate.iter().any(u8::is_ascii_digit)
        && candidate.iter().any(u8::is_ascii_uppercase);
    if !form {
        return Verdict::Refutes;
    }
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let sum: u32 = candidate.iter().zip(WEIGHTS).map(|(b, weight)| vin_value(*b) * weight).sum();
    let check = b"0123456789X"[(sum % 11) as usize];
    let free = candidate[8].is_ascii_uppercase() && candidate[8] != b'X';
    weak(check == candidate[8] || free)
}

fn vin_value(byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'H' => u32::from(byte - b'A') + 1,
        b'J'..=b'R' => u32::from(byte - b'J') + 1,
        _ => u32::from(byte - b'S') + 2,
    }
}

/// One line of a passport's machine-readable zone: 30, 36 or 44 characters of `A-Z0-9<`, names with `<<`, or
/// a number line whose first check digit (after nine characters; weights 7, 3, 1) holds.
pub(in crate::redact) fn machine_readable_zone(candidate: &[u8]) -> Verdict {
    let alphabet = candidate.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'<');
    if !matches!(candidate.len(), 30 | 36 | 44) || !alphabet {
        return Verdict::Refutes;
    }
    let names = b"PVIAC".contains(&candidate[0]) && candidate.windows(2).any(|pair| pair == b"<<");
    let value = |b: u8| (b as char).to_digit(36).unwrap_or(0);
    let sum: u32 = candidate[..9].iter().zip([7, 3, 1].into_iter().cycle()).map(|(b, weight)| value(*b) * weight).sum();
    let number =
        candidate[9].is_ascii_digit() && sum % 10 == value(candidate[9]) && candidate.iter().any(u8::is_ascii_digit);
    if names || (number && candidate.contains(&b'<')) { Verdict::Proves } else { weak(number) }
}

#[cfg(test)]
mod tests {
    use super::super::assert_verdicts;
    use super::*;

    #[test]
    fn good_and_bad() {
        assert_verdicts(imei, Verdict::Silent, &["490154203237518", "49-015420-323751-8", "4901542032375180"]);
        assert_verdicts(imei, Verdict::Refutes, &["490154203237517", "000000000000000", "49015420323751", ""]);
        assert_verdicts(
            vin,
            Verdict::Silent,
            &["1M8GDM9AXKP042788", "11111111111111111A".get(1..).unwrap_or(""), "WVWZZZ1JZXW000001"],
        );
        assert_verdicts(
            vin,
            Verdict::Refutes,
            &["1M8GDM9A1KP042788", "1M8GDM9AXKP04278", "1M8GDM9AXKP04278O", "", "12345678901234567"],
        );
        assert_verdicts(
            machine_readable_zone,
            Verdict::Proves,
            &["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"],
        );
        assert_verdicts(machine_readable_zone, Verdict::Refutes, &["P<UTO", "", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCD"]);
    }
}

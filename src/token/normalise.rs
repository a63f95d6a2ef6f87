//! One form for all spellings of a value, so that equal things get equal tokens.
//!
//! | class | normal form |
//! |---|---|
//! | e-mail | lower case throughout, outer quotes gone, domain in its ASCII (punycode) form; `+tag` is kept: it may name another mailbox |
//! | IP | the address alone, in canonical text; IPv4-mapped and IPv4-compatible IPv6 become IPv4; zone, port, brackets and prefix length gone |
//! | IP network | the /24 or /56 of the same |
//! | phone | `+` and digits (E.164) where the country is known, else the digits |
//! | card, IBAN | digits; upper-case letters and digits |
//! | national id | upper-case letters and digits |
//! | account | as written, without surrounding blanks and quotes |
//! | name | lower case, runs of blanks as one |

use super::class::TokenClass;
use std::io::Write;
use std::net::{IpAddr, Ipv6Addr};

/// A country whose national phone numbers can be made international.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Country {
    /// +48, nine digits, no trunk prefix.
    Poland,
    /// +1, ten digits, trunk prefix 1.
    UnitedStates,
    /// +49, trunk prefix 0.
    Germany,
    /// +33, trunk prefix 0.
    France,
    /// +44, trunk prefix 0.
    UnitedKingdom,
}

impl Country {
    /// The country of a two-letter code, as configuration spells it.
    pub fn by_code(code: &str) -> Option<Country> {
        Some(match code {
            "pl" => Country::Poland,
            "us" => Country::UnitedStates,
            "de" => Country::Germany,
            "fr" => Country::France,
            "gb" | "uk" => Country::UnitedKingdom,
            _ => return None,
        })
    }

    fn calling_code(self) -> &'static str {
        match self {
            Country::Poland => "48",
            Country::UnitedStates => "1",
            Country::Germany => "49",
            Country::France => "33",
            Country::UnitedKingdom => "44",
        }
    }

    fn trunk_prefix(self) -> Option<u8> {
        match self {
            Country::Poland => None,
            Country::UnitedStates => Some(b'1'),
            _ => Some(b'0'),
        }
    }
}

/// Appends the normal form of `value` to `out`; `None` (and whatever was appended is to be ignored)
/// where the value has none.
pub fn normalise(class: TokenClass, value: &[u8], country: Option<Country>, out: &mut Vec<u8>) -> Option<()> {
    let text = trim(std::str::from_utf8(value).ok()?);
    if text.is_empty() {
        return None;
    }
    match class {
        TokenClass::Email => email(text, out),
        TokenClass::Ip => write!(out, "{}", address(text)?).ok(),
        TokenClass::IpNetwork => write!(out, "{}", network(address(text)?)).ok(),
        TokenClass::Phone => phone(text, country, out),
        TokenClass::Card => some(out, text.bytes().filter(u8::is_ascii_digit)),
        TokenClass::Iban | TokenClass::NationalId => {
            some(out, text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_uppercase()))
        }
        TokenClass::Account => some(out, text.bytes()),
        TokenClass::Name => name(text, out),
    }
}

/// Blanks (no-break ones too) and quotes around a value belong to the carrier.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{a0}' || c == '"' || c == '\'')
}

fn some(out: &mut Vec<u8>, bytes: impl Iterator<Item = u8>) -> Option<()> {
    let before = out.len();
    out.extend(bytes);
    (out.len() > before).then_some(())
}

fn email(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let (local, domain) = text.rsplit_once(['@', '\u{ff20}'])?;
    let local = local.trim_matches('"');
    let domain = domain.trim_end_matches('.');
    if local.is_empty() || domain.is_empty() {
        return None;
    }
    lower(local, out);
    out.push(b'@');
    if domain.is_ascii() {
        out.extend(domain.bytes().map(|byte| byte.to_ascii_lowercase()));
    } else {
        // Also folds full-width letters and dots. A domain that has no ASCII form keeps its spelling.
        match idna::domain_to_ascii(domain) {
            Ok(ascii) => out.extend_from_slice(ascii.as_bytes()),
            Err(_) => lower(domain, out),
        }
    }
    Some(())
}

fn lower(text: &str, out: &mut Vec<u8>) {
    for c in text.chars().filter(|c| !is_invisible(*c)).flat_map(char::to_lowercase) {
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Zero-width characters that copying between programs leaves behind.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

/// The address in `text`, without brackets, zone, port and prefix length.
fn address(text: &str) -> Option<IpAddr> {
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => text.split('/').next()?,
    };
    let bare = bare.split('%').next()?;
    let parsed = bare.parse::<IpAddr>().ok().or_else(|| {
        // `192.0.2.1:443`: a port after the only colon.
        let (host, port) = bare.split_once(':')?;
        port.bytes().all(|byte| byte.is_ascii_digit()).then(|| host.parse().ok())?
    })?;
    Some(match parsed {
        IpAddr::V6(v6) => embedded_v4(v6).unwrap_or(parsed),
        v4 => v4,
    })
}

/// The IPv4 address inside an IPv4-mapped (`::ffff:a.b.c.d`) address.
fn embedded_v4(v6: Ipv6Addr) -> Option<IpAddr> {
    v6.to_ipv4_mapped().map(IpAddr::V4)
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            IpAddr::from([a, b, c, 0])
        }
        IpAddr::V6(v6) => {
            let mut octets = v6.octets();
            octets[7..].fill(0);
            IpAddr::from(octets)
        }
    }
}

fn phone(text: &str, country: Option<Country>, out: &mut Vec<u8>) -> Option<()> {
    let mut digits = [0u8; 24];
    let mut count = 0;
    // "(0)" between country code and number is the trunk prefix people leave in.
    let (head, tail) = text.split_once("(0)").unwrap_or((text, ""));
    for byte in head.bytes().chain(tail.bytes()).filter(u8::is_ascii_digit) {
        *digits.get_mut(count)? = byte;
        count += 1;
    }
    let digits = &digits[..count];
    let international = text.trim_start_matches('(').starts_with('+') || text.starts_with('\u{ff0b}');
    if international {
        out.push(b'+');
        return some(out, digits.iter().copied());
    }
    if let Some(rest) = digits.strip_prefix(b"00") {
        out.push(b'+');
        return some(out, rest.iter().copied());
    }
    if let Some(country) = country {
        let national = match country.trunk_prefix() {
            Some(trunk) if digits.first() == Some(&trunk) => &digits[1..],
            _ => digits,
        };
        out.push(b'+');
        // A number already written with the country's code, but without the plus sign.
        let code = country.calling_code().as_bytes();
        let complete = country == Country::Poland && digits.len() == 11 && digits.starts_with(code);
        if !complete {
            out.extend_from_slice(code);
        }
        return some(out, national.iter().copied());
    }
    some(out, digits.iter().copied())
}

fn name(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let before = out.len();
    for word in text.split(|c: char| c.is_whitespace() || c == '\u{a0}').filter(|word| !word.is_empty()) {
        if out.len() > before {
            out.push(b' ');
        }
        lower(word, out);
    }
    (out.len() > before).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(class: TokenClass, value: &str) -> Option<String> {
        let mut out = Vec::new();
        normalise(class, value.as_bytes(), Some(Country::Poland), &mut out)?;
        String::from_utf8(out).ok()
    }

    /// Ten spellings or more of one thing, by class; all must have one normal form.
    const SPELLINGS: &[(TokenClass, &[&str])] = &[
        (
            TokenClass::Email,
            &[
                "Jan.Kowalski@Example.com",
                "jan.kowalski@example.com",
                "JAN.KOWALSKI@EXAMPLE.COM",
                " jan.kowalski@example.com ",
                "jan.kowalski@example.com.",
                "\"jan.kowalski\"@example.com",
                "jan.kowalski\u{ff20}example.com",
                "jan.kowalski@example\u{ff0e}com",
                "jan.kowal\u{200b}ski@example.com",
                "'jan.kowalski@example.com'",
                "jan.kowalski@\u{ff25}xample.com",
            ],
        ),
        (
            TokenClass::Email,
            &[
                "kontakt@żółw.example",
                "KONTAKT@ŻÓŁW.EXAMPLE",
                "kontakt@xn--w-uga1v8h.example",
                "Kontakt@XN--W-UGA1V8H.example",
            ],
        ),
        (
            TokenClass::Ip,
            &[
                "203.0.113.7",
                "::ffff:203.0.113.7",
                "::ffff:cb00:7107",
                "::FFFF:CB00:7107",
                "0:0:0:0:0:ffff:203.0.113.7",
                "203.0.113.7:443",
                "[::ffff:203.0.113.7]:443",
                "203.0.113.7/24",
                " 203.0.113.7",
                "\"203.0.113.7\"",
                "0000:0000:0000:0000:0000:ffff:cb00:7107",
            ],
        ),
        (
            TokenClass::Ip,
            &[
                "2001:db8::1",
                "2001:DB8::1",
                "2001:0db8::0001",
                "2001:db8:0:0:0:0:0:1",
                "2001:0db8:0000:0000:0000:0000:0000:0001",
                "[2001:db8::1]",
                "[2001:db8::1]:443",
                "2001:db8::1%eth0",
                "2001:db8::1%25eth0",
                "2001:db8:0::1",
                "2001:db8::1/64",
            ],
        ),
        (
            TokenClass::Phone,
            &[
                "+48 601 234 567",
                "+48601234567",
                "(+48) 601-234-567",
                "0048 601 234 567",
                "601 234 567",
                "601-234-567",
                "601234567",
                "48601234567",
                "+48.601.234.567",
                "+48\u{a0}601\u{a0}234\u{a0}567",
                "(601) 234 567",
            ],
        ),
        (
            TokenClass::Card,
            &[
                "4111111111111111",
                "4111 1111 1111 1111",
                "4111-1111-1111-1111",
                "4111\u{a0}1111\u{a0}1111\u{a0}1111",
                "4111.1111.1111.1111",
                " 4111111111111111",
                "41111111 11111111",
                "4111  1111  1111  1111",
                "4111/1111/1111/1111",
                "\"4111111111111111\"",
            ],
        ),
        (
            TokenClass::Iban,
            &[
                "DE89370400440532013000",
                "DE89 3704 0044 0532 0130 00",
                "de89370400440532013000",
                "DE89-3704-0044-0532-0130-00",
                "DE89+3704+0044+0532+0130+00",
                "de89 3704 0044 0532 0130 00",
                "DE89.3704.0044.0532.0130.00",
                "DE89\u{a0}3704\u{a0}0044\u{a0}0532\u{a0}0130\u{a0}00",
                "'DE89370400440532013000'",
                "DE893704 00440532 013000",
            ],
        ),
        (
            TokenClass::NationalId,
            &[
                "AB123456C",
                "AB 12 34 56 C",
                "ab123456c",
                "AB-12-34-56-C",
                "ab 12 34 56 c",
                "AB.123456.C",
                " AB123456C ",
                "AB/123456/C",
                "AB 123456 C",
                "\"AB123456C\"",
            ],
        ),
        (
            TokenClass::Name,
            &["Żaneta Nowak", "ŻANETA NOWAK", "żaneta  nowak", " Żaneta\u{a0}Nowak ", "\"Żaneta Nowak\""],
        ),
    ];

    #[test]
    fn spellings_of_one_value_have_one_normal_form() {
        for (class, spellings) in SPELLINGS {
            let first = normal(*class, spellings[0]).unwrap();
            for spelling in *spellings {
                assert_eq!(normal(*class, spelling).as_deref(), Some(first.as_str()), "{class:?} {spelling}");
            }
        }
    }

    #[test]
    fn different_values_stay_different() {
        let differ = [
            (TokenClass::Email, "a+x@example.com", "a@example.com"),
            (TokenClass::Ip, "::1", "127.0.0.1"),
            (TokenClass::Phone, "+48601234567", "+49601234567"),
            (TokenClass::Account, "A-1", "a-1"),
        ];
        for (class, one, two) in differ {
            assert_ne!(normal(class, one), normal(class, two), "{one} {two}");
        }
    }

    #[test]
    fn trunk_prefixes_go() {
        let mut out = Vec::new();
        normalise(TokenClass::Phone, b"+44 (0)20 7946 0123", None, &mut out).unwrap();
        assert_eq!(out, b"+442079460123");
        out.clear();
        normalise(TokenClass::Phone, b"020 7946 0123", Some(Country::UnitedKingdom), &mut out).unwrap();
        assert_eq!(out, b"+442079460123");
    }

    proptest! {
        #[test]
        fn any_ipv6_spelling_normalises_to_its_address(bits: u128) {
            let address = Ipv6Addr::from(bits);
            let full = address.segments().map(|segment| format!("{segment:04X}")).join(":");
            prop_assert_eq!(normal(TokenClass::Ip, &full), normal(TokenClass::Ip, &address.to_string()));
        }

        #[test]
        fn normalising_a_normal_form_changes_nothing(local in "[a-z0-9.+-]{1,20}", host in "[a-z]{1,10}") {
            let once = normal(TokenClass::Email, &format!("{local}@{host}.example")).unwrap();
            prop_assert_eq!(normal(TokenClass::Email, &once), Some(once.clone()));
        }

        #[test]
        fn any_bytes_are_answered(class in 0usize..9, value: Vec<u8>) {
            let mut out = Vec::new();
            let _ = normalise(TokenClass::ALL[class], &value, None, &mut out);
        }
    }
}

//! Where values of digits can begin: what must stand before and behind the first run of digits for a shape
//! to be worth asking.
//!
//! Every row is a necessary condition, never more: a shape that none of its rows admits would answer
//! nothing. A time stamp alone has seven groups of digits, and asking fifty shapes at each of them costs more
//! than everything else in a line; two look-ups tell the few that fit.

use super::Shape;
use super::digit_ids::{self, DigitId};

/// A set of kinds before a group of digits, one bit each.
type Before = u32;

/// What stands before a group of digits.
pub(in crate::redact) mod before {
    /// Nothing: the record begins here.
    pub(in crate::redact) const START: usize = 0;
    /// So many ASCII letters, behind anything but a digit: 1, 2, 3, 6; or any others.
    pub(in crate::redact) const LETTERS_1: usize = 1;
    pub(in crate::redact) const LETTERS_2: usize = 2;
    pub(in crate::redact) const LETTERS_3: usize = 3;
    pub(in crate::redact) const LETTERS_6: usize = 4;
    pub(in crate::redact) const LETTERS: usize = 5;
    /// A space, also behind two or three letters.
    pub(in crate::redact) const SPACE: usize = 6;
    pub(in crate::redact) const SPACE_2: usize = 7;
    pub(in crate::redact) const SPACE_3: usize = 8;
    /// A dot or dash behind another digit.
    pub(in crate::redact) const JOINED: usize = 9;
    /// A dash that is not, also behind two or three letters.
    pub(in crate::redact) const DASH: usize = 10;
    pub(in crate::redact) const DASH_2: usize = 11;
    pub(in crate::redact) const DASH_3: usize = 12;
    /// An underscore.
    pub(in crate::redact) const UNDERSCORE: usize = 13;
    /// A plus.
    pub(in crate::redact) const PLUS: usize = 14;
    /// An opening bracket.
    pub(in crate::redact) const BRACKET: usize = 15;
    /// Any other byte.
    pub(in crate::redact) const OTHER: usize = 16;
    /// How many kinds there are.
    pub(in crate::redact) const COUNT: usize = 17;
}

/// What the group begins with.
pub(in crate::redact) mod lead {
    /// `00`
    pub(in crate::redact) const ZEROS: usize = 0;
    /// One zero.
    pub(in crate::redact) const ZERO: usize = 1;
    /// `1`
    pub(in crate::redact) const ONE: usize = 2;
    /// `2` to `8`
    pub(in crate::redact) const MIDDLE: usize = 3;
    /// `9`
    pub(in crate::redact) const NINE: usize = 4;
    /// How many kinds there are.
    pub(in crate::redact) const COUNT: usize = 5;
}

/// What stands behind the first run of digits.
pub(in crate::redact) mod behind {
    /// Nothing: the record ends here.
    pub(in crate::redact) const END: usize = 0;
    /// An ASCII letter or an underscore.
    pub(in crate::redact) const WORD: usize = 1;
    /// A dot and at least three more digits.
    pub(in crate::redact) const DOT: usize = 2;
    /// A space, dash, slash or plus, and at least three more digits.
    pub(in crate::redact) const GAP: usize = 3;
    /// A byte of a character outside ASCII.
    pub(in crate::redact) const WIDE: usize = 4;
    /// Anything else.
    pub(in crate::redact) const OTHER: usize = 5;
    /// A dot, or a space, dash, slash or plus, and one or two digits.
    pub(in crate::redact) const DOT_SHORT: usize = 6;
    pub(in crate::redact) const GAP_SHORT: usize = 7;
    /// How many kinds there are.
    pub(in crate::redact) const COUNT: usize = 8;
}

/// One way in which a value can begin; all of it must hold.
#[derive(Clone, Copy)]
pub(in crate::redact) struct Start {
    /// Kinds of [`before`], one bit each.
    pub(in crate::redact) before: Before,
    /// Kinds of [`lead`], one bit each.
    pub(in crate::redact) leads: u8,
    /// Lengths of the first run, one bit each; the last stands for all longer ones.
    pub(in crate::redact) runs: u32,
    /// Kinds of [`behind`], one bit each.
    pub(in crate::redact) behind: u8,
    /// What begins so may be proven by itself. Where it never is, the rule's words must stand near.
    pub(in crate::redact) proves: bool,
}

const ANY: Start = Start { before: Before::MAX, leads: u8::MAX, runs: u32::MAX, behind: u8::MAX, proves: true };
const SILENT: Start = Start { proves: false, ..ANY };

/// So many letters right before the digits.
const LETTERS_1: Before = 1 << before::LETTERS_1;
const LETTERS_2: Before = 1 << before::LETTERS_2;
const LETTERS_3: Before = 1 << before::LETTERS_3;
const LETTERS_6: Before = 1 << before::LETTERS_6;
/// So many letters, and a space or a dash.
const SPACE_2: Before = 1 << before::SPACE_2;
const SPACE_3: Before = 1 << before::SPACE_3;
const DASH_2: Before = 1 << before::DASH_2;
const DASH_3: Before = 1 << before::DASH_3;
const DASH: Before = 1 << before::DASH | DASH_2 | DASH_3;
/// Before a number that stands free on the left.
const FREE: Before = !(LETTERS_1
    | LETTERS_2
    | LETTERS_3
    | LETTERS_6
    | 1 << before::LETTERS
    | 1 << before::UNDERSCORE
    | 1 << before::JOINED);
/// Before a candidate that no letter, digit, underscore or dash may precede.
const NO_WORD: Before = (FREE | 1 << before::JOINED) & !DASH;
/// Behind a run that further groups follow.
const MORE: u8 = DOT | GAP | 1 << behind::WIDE;
/// The same, where the next group has three digits and more, or fewer.
const MORE_LONG: u8 = MORE & !(1 << behind::DOT_SHORT | 1 << behind::GAP_SHORT);
const MORE_SHORT: u8 = MORE & !(1 << behind::DOT | 1 << behind::GAP);
const DOT: u8 = 1 << behind::DOT | 1 << behind::DOT_SHORT;
const GAP: u8 = 1 << behind::GAP | 1 << behind::GAP_SHORT;
/// Behind a run that stands free on the right.
const ALONE: u8 = !(1 << behind::WORD | DOT);
const WORD: u8 = 1 << behind::WORD;
const OTHER: u8 = 1 << behind::OTHER;
const NO_ZERO: u8 = !(1 << lead::ZERO | 1 << lead::ZEROS);

/// The lengths `from..=to`, one bit each.
const fn runs(from: u32, to: u32) -> u32 {
    (u32::MAX >> (31 - to)) & (u32::MAX << from)
}

/// How values of `shape` can begin at a group of digits; a shape that nothing is known of can begin anywhere.
#[rustfmt::skip]
pub(in crate::redact) fn starts(shape: &Shape) -> Vec<Start> {
    if let Some(id) = digit_id(shape.name) {
        let (alone, grouped) = match shape.name {
            "pesel" => (true, true),
            "nrb" | "ch-ahv" => (false, true),
            _ => (false, false),
        };
        return of_digits(id, alone, grouped);
    }
    match shape.name {
        "nip" => {
            let mut rows = of_digits(&digit_ids::NIP, false, true);
            rows.push(Start { before: LETTERS_2, runs: 1 << 3 | 1 << 10, ..SILENT });
            rows
        }
        "card" => vec![
            Start { before: FREE, leads: 1 << lead::MIDDLE, runs: 1 << 4 | 1 << 6, behind: MORE_LONG, ..ANY },
            Start { before: FREE, leads: 1 << lead::MIDDLE, runs: runs(12, 19), behind: ALONE, ..ANY },
        ],
        "track-data" => vec![Start { runs: runs(12, 19), behind: WORD | OTHER, ..ANY }],
        "iban" => vec![Start { before: LETTERS_2 | SPACE_2, runs: runs(2, 31), ..ANY }],
        "vat" => vec![Start { before: LETTERS_2 | LETTERS_3 | SPACE_2 | SPACE_3 | DASH_2 | DASH_3, ..ANY }],
        "phone-e164" => vec![
            Start { before: 1 << before::PLUS, leads: NO_ZERO, ..ANY },
            Start { before: FREE, leads: 1 << lead::ZEROS, runs: runs(3, 31), ..ANY },
        ],
        "phone-national" => vec![
            Start { before: 1 << before::BRACKET, runs: runs(2, 5), ..ANY },
            Start { before: FREE, runs: runs(9, 13), ..SILENT },
            Start { before: FREE, leads: 1 << lead::ONE, runs: 1 << 1, behind: MORE, ..SILENT },
            Start { before: FREE, runs: runs(2, 3), behind: MORE, ..SILENT },
            Start { before: FREE, leads: !NO_ZERO, runs: runs(4, 5), behind: MORE, ..SILENT },
        ],
        "postcode-city" => vec![
            Start { before: FREE, runs: 1 << 2, behind: GAP, ..SILENT },
            Start { before: FREE, runs: 1 << 5, behind: OTHER | 1 << behind::WIDE, ..SILENT },
        ],
        "uk-postcode" => {
            let behind = WORD | GAP | 1 << behind::WIDE;
            vec![Start { before: LETTERS_1 | LETTERS_2, runs: runs(1, 2), behind, ..SILENT }]
        }
        "geo-coordinates" => vec![Start { before: FREE, runs: runs(1, 3), behind: DOT, ..SILENT }],
        // Proven by its own words only: see [`words`].
        "birth-date" => vec![Start { before: FREE, ..SILENT }],
        "pl-id-card" => vec![Start { before: LETTERS_3 | SPACE_3, ..SILENT }],
        "pl-passport" => vec![Start { before: LETTERS_2 | SPACE_2, ..SILENT }],
        "de-id-card" => vec![Start { before: LETTERS_1, ..SILENT }],
        "it-codice-fiscale" => vec![Start { before: LETTERS_6, ..ANY }],
        "uk-nino" => vec![
            Start { before: LETTERS_2, runs: 1 << 6, behind: WORD, ..SILENT },
            Start { before: SPACE_2, runs: 1 << 2, behind: GAP, ..ANY },
        ],
        "es-dni" => vec![Start { before: NO_WORD, runs: 1 << 8, behind: WORD | OTHER, ..SILENT }],
        "es-nie" => vec![Start { before: LETTERS_1 | DASH, runs: 1 << 7, behind: WORD | OTHER, ..SILENT }],
        "es-cif" => vec![Start { before: LETTERS_1, runs: runs(7, 8), ..SILENT }],
        "ie-pps" => vec![
            Start { before: NO_WORD, runs: 1 << 7, ..SILENT },
            Start { before: NO_WORD, runs: runs(1, 6), behind: MORE | OTHER, ..SILENT },
        ],
        "fi-hetu" => vec![Start { before: NO_WORD, runs: 1 << 6, behind: WORD | GAP, ..ANY }],
        _ => vec![ANY],
    }
}

/// Words of which one must stand near for a group of digits to be a value of `shape`, ASCII letters in lower case;
/// parts of words count. None: no word of its own is needed.
pub(in crate::redact) fn words(shape: &Shape) -> &'static [&'static str] {
    match shape.name {
        "birth-date" => super::birth_date::WORDS,
        _ => &[],
    }
}

/// Numbers of digits: alone, or in groups, as their groupings say; and which of the two may be proven.
fn of_digits(id: &DigitId, alone_proves: bool, grouped_proves: bool) -> Vec<Start> {
    let (mut alone, mut long, mut short) = (0, 0, 0);
    for sizes in id.groupings() {
        let first = 1 << sizes[0];
        match sizes.get(1) {
            None => alone |= first,
            Some(3..) => long |= first,
            Some(_) => short |= first,
        }
    }
    if id.loose() > 0 {
        alone |= 1 << id.loose();
        long |= runs(2, id.loose() as u32 - 1);
        short |= runs(2, id.loose() as u32 - 1);
    }
    vec![
        Start { before: FREE, runs: alone, behind: ALONE, proves: alone_proves, ..ANY },
        Start { before: FREE, runs: long, behind: MORE_LONG, proves: grouped_proves, ..ANY },
        Start { before: FREE, runs: short, behind: MORE_SHORT, proves: grouped_proves, ..ANY },
    ]
}

#[rustfmt::skip]
fn digit_id(name: &str) -> Option<&'static DigitId> {
    Some(match name {
        "nrb" => &digit_ids::NRB, "aba-routing" => &digit_ids::ABA, "pesel" => &digit_ids::PESEL,
        "regon" => &digit_ids::REGON, "de-tax-id" => &digit_ids::DE_TAX_ID, "fr-nir" => &digit_ids::FR_NIR,
        "it-partita-iva" => &digit_ids::IT_PIVA, "nl-bsn" => &digit_ids::NL_BSN,
        "be-national-number" => &digit_ids::BE_NATIONAL, "pt-nif" => &digit_ids::PT_NIF,
        "at-svnr" => &digit_ids::AT_SVNR, "ch-ahv" => &digit_ids::CH_AHV, "dk-cpr" => &digit_ids::DK_CPR,
        "se-personnummer" => &digit_ids::SE_PERSONNUMMER, "no-fnr" => &digit_ids::NO_FNR,
        "cz-birth-number" => &digit_ids::CZ_BIRTH_NUMBER, "ro-cnp" => &digit_ids::RO_CNP,
        "gr-afm" => &digit_ids::GR_AFM, "in-aadhaar" => &digit_ids::IN_AADHAAR, "uk-nhs" => &digit_ids::NHS,
        "us-ssn" => &digit_ids::SSN, "us-itin" => &digit_ids::ITIN, "us-ein" => &digit_ids::EIN,
        "us-npi" => &digit_ids::NPI, "imei" => &digit_ids::IMEI,
        _ => return None,
    })
}

//! National and tax numbers made of digits: each a list of groupings and a check.
//!
//! A number whose check fails is none, unless its own name stands right before it (`PESEL: 90010112340`):
//! a mistyped number is still somebody's. What passes is as sure as its check says; most need a word.

use super::ShapeHit;
use super::edge::{byte_before, ends_with_fold, previous_word, word_before};
use super::groups::{Groups, free_left, free_right, loose_end, run_len};
use crate::redact::validate::device::imei;
use crate::redact::validate::english_ids::{aba_routing, ein, itin, nhs, npi, ssn};
use crate::redact::validate::iban::domestic_polish;
use crate::redact::validate::northern_eastern_ids as north_east;
use crate::redact::validate::western_ids as western;
use crate::redact::validate::{Check, Verdict, nip, pesel, regon};

/// A number of digits: how it is printed and what it must satisfy.
pub(super) struct DigitId {
    check: Check,
    /// Group sizes as printed, with one equal separator.
    groupings: &'static [&'static [u8]],
    /// Number of digits that may also stand with mixed separators (`85.07.30-033.28`); 0: none.
    loose: usize,
    /// Names that stand right before the number, in lower case.
    labels: &'static [&'static str],
}

impl DigitId {
    /// Lengths of the first run of digits with which a number of this kind can begin, one bit each.
    pub(super) const fn first_runs(&self) -> u32 {
        if self.loose > 0 {
            return u32::MAX;
        }
        let (mut runs, mut at) = (0, 0);
        while at < self.groupings.len() {
            runs |= 1 << self.groupings[at][0];
            at += 1;
        }
        runs
    }

    /// Group sizes as printed.
    pub(super) fn groupings(&self) -> &'static [&'static [u8]] {
        self.groupings
    }

    /// Number of digits that may also stand with mixed separators; 0: none.
    pub(super) fn loose(&self) -> usize {
        self.loose
    }
}

pub(super) const PESEL: DigitId =
    DigitId { check: pesel::check, groupings: &[&[11], &[6, 5]], loose: 0, labels: &["pesel", "peselu"] };
pub(super) const NIP: DigitId = DigitId {
    check: nip::check,
    groupings: &[&[10], &[3, 3, 2, 2], &[3, 2, 2, 3]],
    loose: 0,
    labels: &["nip", "vat-ue"],
};
pub(super) const REGON: DigitId =
    DigitId { check: regon::check, groupings: &[&[14], &[9], &[3, 3, 3]], loose: 0, labels: &["regon"] };
pub(super) const NRB: DigitId = DigitId {
    check: domestic_polish,
    groupings: &[&[26], &[2, 4, 4, 4, 4, 4, 4]],
    loose: 0,
    labels: &["nrb", "konto", "rachunku", "rachunek"],
};
pub(super) const SSN: DigitId = DigitId { check: ssn, groupings: &[&[3, 2, 4], &[9]], loose: 0, labels: &["ssn"] };
pub(super) const ITIN: DigitId = DigitId { check: itin, groupings: &[&[3, 2, 4], &[9]], loose: 0, labels: &["itin"] };
pub(super) const EIN: DigitId = DigitId { check: ein, groupings: &[&[2, 7]], loose: 0, labels: &["ein", "fein"] };
pub(super) const NPI: DigitId = DigitId { check: npi, groupings: &[&[10]], loose: 0, labels: &["npi"] };
pub(super) const ABA: DigitId =
    DigitId { check: aba_routing, groupings: &[&[9], &[4, 4, 1]], loose: 0, labels: &["routing", "aba", "rtn"] };
pub(super) const NHS: DigitId = DigitId { check: nhs, groupings: &[&[10], &[3, 3, 4]], loose: 0, labels: &["nhs"] };
pub(super) const IMEI: DigitId =
    DigitId { check: imei, groupings: &[&[15], &[2, 6, 6, 1]], loose: 0, labels: &["imei", "imeisv"] };
pub(super) const DE_TAX_ID: DigitId = DigitId {
    check: western::german_tax_id,
    groupings: &[&[11], &[2, 3, 3, 3]],
    loose: 0,
    labels: &["steuer-id", "steuerid", "idnr", "steueridentifikationsnummer"],
};
pub(super) const NL_BSN: DigitId = DigitId {
    check: western::dutch_bsn,
    groupings: &[&[9], &[4, 2, 3], &[3, 3, 3]],
    loose: 0,
    labels: &["bsn", "burgerservicenummer"],
};
pub(super) const FR_NIR: DigitId = DigitId {
    check: western::french_nir,
    groupings: &[&[15], &[1, 2, 2, 2, 3, 3, 2], &[13, 2]],
    loose: 0,
    labels: &["nir", "insee"],
};
pub(super) const BE_NATIONAL: DigitId = DigitId {
    check: western::belgian_national_number,
    groupings: &[&[11]],
    loose: 11,
    labels: &["rijksregisternummer", "niss", "insz"],
};
pub(super) const PT_NIF: DigitId = DigitId {
    check: western::portuguese_nif,
    groupings: &[&[9], &[3, 3, 3]],
    loose: 0,
    labels: &["nif", "contribuinte"],
};
pub(super) const IT_PIVA: DigitId =
    DigitId { check: western::partita_iva, groupings: &[&[11]], loose: 0, labels: &["p.iva", "piva", "iva"] };
pub(super) const AT_SVNR: DigitId = DigitId {
    check: western::austrian_svnr,
    groupings: &[&[10], &[4, 6]],
    loose: 0,
    labels: &["svnr", "sozialversicherungsnummer"],
};
pub(super) const CH_AHV: DigitId =
    DigitId { check: western::swiss_ahv, groupings: &[&[13], &[3, 4, 4, 2]], loose: 0, labels: &["ahv", "avs"] };
pub(super) const DK_CPR: DigitId =
    DigitId { check: north_east::danish_cpr, groupings: &[&[6, 4], &[10]], loose: 0, labels: &["cpr", "cpr-nr"] };
pub(super) const SE_PERSONNUMMER: DigitId = DigitId {
    check: north_east::swedish_personnummer,
    groupings: &[&[6, 4], &[8, 4], &[10], &[12]],
    loose: 0,
    labels: &["personnummer", "pnr"],
};
pub(super) const NO_FNR: DigitId = DigitId {
    check: north_east::norwegian_fnr,
    groupings: &[&[11], &[6, 5]],
    loose: 0,
    labels: &["fødselsnummer", "fodselsnummer", "fnr"],
};
pub(super) const CZ_BIRTH_NUMBER: DigitId = DigitId {
    check: north_east::birth_number,
    groupings: &[&[6, 4], &[6, 3], &[10]],
    loose: 0,
    labels: &["číslo", "cislo", "rc"],
};
pub(super) const RO_CNP: DigitId =
    DigitId { check: north_east::romanian_cnp, groupings: &[&[13]], loose: 0, labels: &["cnp"] };
pub(super) const GR_AFM: DigitId =
    DigitId { check: north_east::greek_afm, groupings: &[&[9]], loose: 0, labels: &["afm"] };
pub(super) const IN_AADHAAR: DigitId =
    DigitId { check: north_east::aadhaar, groupings: &[&[4, 4, 4], &[12]], loose: 0, labels: &["aadhaar"] };

/// Finds `id` at the digit `at`.
pub(super) fn find(id: &DigitId, text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    // Cheapest first: the length of the first group decides nearly always.
    let first = run_len(text, at, 27);
    let fits = id.groupings.iter().any(|sizes| sizes[0] as usize == first)
        || (id.loose > 0 && (2..=id.loose).contains(&first));
    if !fits || !free_left(text, at, floor) {
        return None;
    }
    let groups = Groups::read(text, at, 26);
    let printed = id.groupings.iter().filter_map(|sizes| groups.prefix(sizes)).map(|(_, end)| end);
    let loose = (id.loose > 0).then(|| loose_end(text, at, id.loose)).flatten();
    printed.chain(loose).find_map(|end| verified(id, text, at, end, floor))
}

fn verified(id: &DigitId, text: &[u8], at: usize, end: usize, floor: usize) -> Option<ShapeHit> {
    if !free_right(text, end) {
        return None;
    }
    match (id.check)(&text[at..end]) {
        Verdict::Refutes => {
            let word = previous_word(text, at, floor);
            let labelled = id.labels.iter().any(|label| ends_with_fold(word, label));
            labelled.then(|| ShapeHit::new(at, end, Verdict::Silent))
        }
        verdict => Some(ShapeHit::new(at, end, verdict)),
    }
}

/// `nip`, also with the country letters of its European form before it.
pub(super) fn nip(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let gap = usize::from(byte_before(text, at, floor, b' '));
    let prefix = at.checked_sub(2 + gap).filter(|start| *start >= floor && text[*start..].starts_with(b"PL"));
    let Some(start) = prefix.filter(|start| !word_before(text, *start, floor)) else {
        return find(&NIP, text, at, floor);
    };
    let groups = Groups::read(text, at, 10);
    NIP.groupings.iter().filter_map(|sizes| groups.prefix(sizes)).find_map(|(_, end)| {
        let passes = nip::check(&text[at..end]) != Verdict::Refutes && free_right(text, end);
        passes.then(|| ShapeHit::new(start, end, Verdict::Silent))
    })
}

//! Shapes against slow, obvious oracles, and against any bytes.

use super::*;
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Everything `name` finds in any bytes; spans must lie inside the text and never reach left of the floor.
fn spans(shape: &Shape, text: &[u8], floor: usize) -> Vec<Span> {
    let mut found = Vec::new();
    let mut resume = floor;
    for at in triggers(shape, text).into_iter().filter(|at| *at >= floor) {
        if at >= resume
            && let Some(hit) = (shape.find)(text, at, floor)
        {
            assert!(hit.span.start < hit.span.end && hit.span.end as usize <= text.len(), "{}: span", shape.name);
            assert!(hit.span.start as usize >= floor, "{}: floor", shape.name);
            assert!(hit.resume as usize > at, "{}: resume moves on", shape.name);
            assert_ne!(hit.verdict, Verdict::Refutes, "{}: refuted", shape.name);
            resume = hit.resume as usize;
            found.push(hit.span);
        }
    }
    found
}

fn only(name: &str, text: &str) -> Vec<String> {
    hits(name, text).into_iter().map(|(span, _)| span.to_owned()).collect()
}

proptest! {
    #[test]
    fn any_bytes(text in proptest::collection::vec(any::<u8>(), 0..200), floor in 0usize..20) {
        for shape in TABLE {
            spans(shape, &text, floor.min(text.len()));
        }
    }

    #[test]
    fn any_likely_text(text in "[0-9A-Fa-f@.:;%/ +<>\"'()=_ul\\\\ż\u{a0}-]{0,120}", floor in 0usize..20) {
        for shape in TABLE {
            spans(shape, text.as_bytes(), floor.min(text.len()));
        }
    }

    #[test]
    fn any_offset(text in "[\\x00-\\x20][0-9A-Fa-f@.:; <>\"'()=_ulN\\\\ż\u{a0}-]{0,60}", bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        super::super::fuzz::fuzz_shapes(text.as_bytes());
        super::super::fuzz::fuzz_shapes(&bytes);
    }

    #[test]
    fn every_v4_address_is_found_whole(octets in any::<[u8; 4]>()) {
        let address = Ipv4Addr::from(octets);
        let expected = !matches!(octets[0], 0 | 127 | 255);
        let text = format!("from {address}:443 to");
        prop_assert_eq!(only("ipv4", &text), if expected { vec![address.to_string()] } else { vec![] });
    }

    #[test]
    fn dotted_numbers_are_addresses_as_the_standard_library_says(a in 0u32..400, b in 0u32..400, c in 0u32..400, d in 0u32..400) {
        let text = format!("{a}.{b}.{c}.{d}");
        let expected = text.parse::<Ipv4Addr>().is_ok() && !matches!(a, 0 | 127 | 255);
        prop_assert_eq!(!only("ipv4", &text).is_empty(), expected);
    }

    #[test]
    fn every_v6_address_is_found_whole(groups in any::<[u16; 8]>(), zeros in 0usize..7, upper: bool) {
        let mut groups = groups;
        // Global addresses: others may be silent when compressed.
        groups[0] = 0x2000 | groups[0] & 0x1FFF;
        groups[1..].iter_mut().take(zeros).for_each(|group| *group = 0);
        let address = Ipv6Addr::from(groups).to_string();
        let address = if upper { address.to_uppercase() } else { address };
        prop_assert_eq!(only("ipv6", &format!("dial [{address}]:443 x")), vec![address.clone()]);
        prop_assert_eq!(only("ipv6", &format!("src={address} x")), vec![address]);
    }

    #[test]
    fn what_v6_finds_parses(text in "[0-9a-f:.%]{2,40}") {
        for (span, _) in hits("ipv6", &text) {
            let address = span.split('%').next().unwrap_or("");
            prop_assert!(address.parse::<Ipv6Addr>().is_ok(), "{} in {}", address, text);
        }
    }

    #[test]
    fn every_mac_is_found_whole(bytes in any::<[u8; 6]>(), dash: bool) {
        prop_assume!(bytes.iter().any(|b| *b != 0) && bytes.iter().any(|b| *b != 255));
        let pairs = bytes.map(|b| format!("{b:02x}"));
        let mac = pairs.join(if dash { "-" } else { ":" });
        prop_assert_eq!(only("mac", &format!("hw {mac}, up")), vec![mac]);
    }

    #[test]
    fn every_plain_address_is_found_whole(local in "[a-z][a-z0-9._+-]{0,20}[a-z0-9]", host in "[a-z][a-z0-9-]{0,15}[a-z0-9]", top in "(com|org|example|pl|co\\.uk)") {
        prop_assume!(local != "git" && !local.contains(".."));
        let address = format!("{local}@{host}.{top}");
        prop_assert_eq!(only("email", &format!("to <{address}>, done")), vec![address.clone()]);
        prop_assert_eq!(only("email", &format!("{{\"to\":\"{address}\"}}")), vec![address]);
    }

    #[test]
    fn cards_in_every_grouping(body in proptest::collection::vec(0u8..10, 14), separator in "(| |-|\u{a0})") {
        let mut digits = vec![4];
        digits.extend(&body);
        // The check digit, the slow way: try all ten.
        let number = (0..10).map(|last| [&digits[..], &[last]].concat()).find(|d| {
            let sum: u32 = d.iter().rev().enumerate().map(|(i, d)| match i % 2 { 0 => u32::from(*d), _ => [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][*d as usize] }).sum();
            sum.is_multiple_of(10)
        });
        let text: Vec<String> = number.unwrap_or_default().chunks(4).map(|group| group.iter().map(|d| d.to_string()).collect()).collect();
        let card = text.join(&separator);
        prop_assert_eq!(only("card", &format!("pay {card}, ok")), vec![card.clone()]);
        let other = format!("pay 7{card}, ok");
        prop_assert!(!only("card", &other).contains(&card));
    }
}

/// Of random numbers few may pass the shapes that prove: the rates the catalogue of checks was built on.
#[test]
fn random_numbers_seldom_prove() {
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut random = |len: usize| -> String {
        (0..len)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                char::from(b'0' + (state >> 33) as u8 % 10)
            })
            .collect()
    };
    // Name, digits, most passes among 20,000.
    for (name, len, most) in [
        ("card", 16, 1100),
        ("card", 19, 0),
        ("card", 13, 0),
        ("pesel", 11, 160),
        ("nip", 10, 0),
        ("regon", 9, 0),
        ("nrb", 26, 0),
    ] {
        let passes =
            (0..20_000).filter(|_| hits(name, &random(len)).iter().any(|(_, v)| *v == Verdict::Proves)).count();
        assert!(passes <= most, "{name} on {len} random digits: {passes}");
    }
}

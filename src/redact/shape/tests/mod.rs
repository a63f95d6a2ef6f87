//! What each shape finds and what it leaves, asked the way the prefilter asks.

mod harmless;
mod oracle;

use super::*;

/// Every offset a prefilter would ask `shape` at, then some: the triggers' definitions taken literally.
fn triggers(shape: &Shape, text: &[u8]) -> Vec<usize> {
    (0..text.len()).filter(|&at| shape.triggers.iter().any(|trigger| fires(*trigger, text, at))).collect()
}

fn fires(trigger: Trigger, text: &[u8], at: usize) -> bool {
    let digit = |i: usize| text.get(i).is_some_and(u8::is_ascii_digit);
    let hex = |i: usize| text.get(i).is_some_and(u8::is_ascii_hexdigit);
    let before = |i: usize, test: &dyn Fn(usize) -> bool| i > 0 && test(i - 1);
    match trigger {
        Trigger::At => text[at] == b'@',
        Trigger::DottedDigits => {
            let dotted = |i: usize| text.get(i) == Some(&b'.') && before(i, &digit) && digit(i + 1);
            dotted(at) && (at + 1..at + 9).filter(|i| dotted(*i)).count() >= 2
        }
        Trigger::DigitRun(least) => {
            let end = text.len().min(at + 32);
            digit(at)
                && !before(at, &digit)
                && text[at..end].iter().filter(|b| b.is_ascii_digit()).count() >= least as usize
        }
        Trigger::HexColon => {
            text[at] == b':'
                && (at + 1..=at + 5).any(|i| {
                    text.get(i) == Some(&b':') && [at + 1, i + 1].iter().any(|i| hex(*i))
                        || text.get(i) == Some(&b':') && before(at, &hex)
                })
        }
        Trigger::HexPairs => {
            let pairs =
                (0..3).all(|i| text.get(at + 3 * i) == Some(&b'-')) && hex(at + 1) && hex(at + 2) && before(at, &hex);
            let quads =
                text[at] == b'.' && text.get(at + 5) == Some(&b'.') && before(at, &hex) && (at + 1..at + 5).all(hex);
            pairs || quads
        }
        Trigger::OpaqueRun => {
            let token = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
            token(&text[at])
                && !(at > 0 && token(&text[at - 1]))
                && text[at..].iter().take_while(|b| token(b)).count() >= 16
        }
        Trigger::Literals(literals) => literals.iter().any(|l| text[at..].starts_with(l.as_bytes())),
        Trigger::Words(words) => words
            .iter()
            .any(|w| text.len() >= at + w.len() && text[at..at + w.len()].eq_ignore_ascii_case(w.as_bytes())),
    }
}

/// What the shape finds in `text`, left to right, as the engine would collect it.
fn hits<'t>(name: &str, text: &'t str) -> Vec<(&'t str, Verdict)> {
    let shape = by_name(name).unwrap_or_else(|| panic!("no shape {name}"));
    let mut found = Vec::new();
    let mut resume = 0;
    for at in triggers(shape, text.as_bytes()) {
        if at < resume {
            continue;
        }
        if let Some(hit) = (shape.find)(text.as_bytes(), at, 0) {
            resume = hit.resume as usize;
            found.push((&text[hit.span.start as usize..hit.span.end as usize], hit.verdict));
        }
    }
    found
}

/// `text` with what `name` must prove between `⟦` and `⟧`.
fn proves(name: &str, marked: &[&str]) {
    expect(name, marked, |verdict| verdict == Verdict::Proves);
}

/// The same for what it must at least see (a word or key is needed).
fn sees(name: &str, marked: &[&str]) {
    expect(name, marked, |_| true);
}

fn expect(name: &str, marked: &[&str], counts: impl Fn(Verdict) -> bool) {
    for case in marked {
        let text: String = case.chars().filter(|c| !"⟦⟧".contains(*c)).collect();
        let wanted: Vec<&str> = case.split('⟦').skip(1).map(|part| part.split('⟧').next().unwrap_or("")).collect();
        let got: Vec<&str> =
            hits(name, &text).into_iter().filter(|(_, verdict)| counts(*verdict)).map(|(span, _)| span).collect();
        assert_eq!(got, wanted, "{name} on {text}");
    }
}

#[test]
fn email() {
    proves(
        "email",
        &[
            "rcpt=⟦o'brien+erp@example.co.uk⟧ status=sent",
            "⟦łukasz.żak@example.com⟧ temat",
            "to ⟦kontakt@żółw.example⟧ and ⟦kontakt@xn--w-uga1v8h.example⟧ now",
            r#"{"rcpt":"⟦\"jan kowalski\"@example.com⟧","n":1}"#,
            r#"rcpt: ⟦"jan kowalski"@example.com⟧ ok"#,
            "<a href=\"mailto:⟦jan@example.com⟧?subject=Faktura\">",
            "wrote to ⟦jan@example.com⟧. Copy (⟦anna@example.com⟧); ⟦x@example.com⟧,⟦y@example.com⟧!",
            "git@github.com:org/repo.git @types/node@20.1.0 com.example.Task@1f32ab9c app@sha256:fa4e00 icon@2x.png %h@%p",
            "mail from ⟦jаn.kоwalski@example.com⟧ rejected",
            "list=⟦jan@example.comanna@example.com⟧;end",
            "open /mail/⟦jan.kowalski@example.com⟧/inbox/7",
            "RCPT TO:<⟦jan@example.com⟧> message-id=<20260301.77@mail.example.com>",
            "user'⟦jan@example.com⟧' \"⟦jan@example.com⟧\" [⟦jan@example.com⟧]",
            r"line\n⟦jan@example.com⟧ \u003c⟦jan@example.com⟧\u003e",
            "\u{1b}[32m⟦jan@example.com⟧\u{1b}[0m",
            "⟦bounce+jan=example.com@lists.example.org⟧",
            "email=⟦jan.kowalski@example.com⟧",
            "q=⟦jan%2Btag@example.com⟧&x",
            "⟦jan@[192.0.2.1]⟧ ⟦jan@[IPv6:2001:db8::1]⟧",
            "postgres://app:s3cr.et@db.example.com/x",
            "fetch https://⟦jan@example.com⟧/x",
            "toot ⟦user@mastodon.example.social⟧",
            "ssh deploy@web-1.example.com; scp -P 2222 a.tgz root@db.example.com:/srv && rsync -a x ubuntu@web.example.com:",
            "ssh ⟦anna.nowak@web-1.example.com⟧; ssh web-1; mail to ⟦root@web.example.com⟧",
            "lodash@4.17.21 react@18.3.0-canary.abc name@1000.service root@web-1 session@c2.scope",
            r#"{"handle":"@example.com","b":"@foo.example.com"}"#,
            "com.example.Task@6d06d69c.run @@ a@ @b @.com",
            "⟦jan@example.com⟧.443 ⟦jan@example.com⟧-2",
            "⟦a#EXT#@tenant.onmicrosoft.example⟧",
        ],
    );
}

#[test]
fn spelled_email() {
    proves(
        "email-spelled",
        &[
            "write to ⟦jan.kowalski [at] example [dot] com⟧ or ⟦anna(at)example.com⟧, ⟦x[@]example(.)co.uk⟧.",
            "map[at] x (at) line 5 of foo.rs (at) [dot]",
        ],
    );
}

#[test]
fn ipv4() {
    proves(
        "ipv4",
        &[
            "⟦203.0.113.7⟧ - jan \"GET /v1.2.3/items HTTP/1.1\" \"curl/8.5.0\"",
            "connect ⟦198.51.100.22⟧:51234 route ⟦198.51.100.0⟧/24",
            "upgraded to version 1.2.3.4, nginx/1.25.3.1, Assembly Version=4.0.0.0, Chrome/120.0.6099.109, build 10.0.19041.1",
            "agent version 7.52.1.0 connected from ⟦192.0.2.44⟧",
            "oid 1.3.6.1.4.1.311 value 1.3.6.1.2.1.1.3.0 snmp",
            "999.1.1.1 256.300.1.1 1.2.3 01.03.2026 10.5.2026.1",
            "refused: db.example.com/⟦192.0.2.44⟧:5432 /⟦192.0.2.44⟧:80 localhost/127.0.0.1:80",
            "query ⟦44.2.0.192⟧.in-addr.arpa PTR",
            "127.0.0.1:8080 0.0.0.0:80 255.255.255.0 127.0.0.53",
            "ExampleBot/1.0.2.7; Chrome/120.0.0.0",
            "X-Forwarded-For: ⟦203.0.113.7⟧, ⟦198.51.100.22⟧:5123",
            "IP ⟦192.0.2.1⟧.443 > ⟦192.0.2.9⟧.51234: Flags",
            "upgraded from 1.2.3.4 to 1.2.3.5; bumped to 1.2.3.4",
            "foo-1.2.3.4.jar v1.2.3.4 1.2.3.4-5ubuntu1 1.2.3.4-SNAPSHOT",
            r#"{"app_version":"4.0.0.1","appVersion":"4.0.0.2","ip":"⟦192.0.2.4⟧"}"#,
            "peer ⟦192.168.001.010⟧. Next from⟦192.0.2.7⟧ end ⟦192.0.2.8⟧.",
            "tcp/⟦192.0.2.4⟧ node1/⟦10.0.0.3⟧ GET /hosts/⟦192.0.2.5⟧/status range ⟦192.0.2.1⟧-⟦192.0.2.9⟧",
            "1.2.3.4.5 1.2.3.4.5.6.7.8",
            "build ⟦192.0.2.4⟧ failed, record updated from ⟦192.0.2.4⟧ http://⟦192.0.2.4⟧:80/ jan@⟦192.0.2.4⟧ build 7.1.2.3",
        ],
    );
}

#[test]
fn ipv6() {
    proves(
        "ipv6",
        &[
            "peer ⟦::ffff:192.0.2.10⟧ and ⟦::ffff:c000:20a⟧",
            "dial tcp [⟦2001:db8::1⟧]:443: connect: refused",
            "client ⟦2001:db8::1⟧#53 src ⟦2001:db8::2⟧.443",
            "listen ⟦fe80::1ff:fe23:4567:890a%eth0⟧ ok ⟦fe80::1%25eth0⟧",
            "src=⟦2001:0DB8:0000:0000:0008:0800:200C:417A⟧ dpt=22",
            "panicked at std::vec::Vec<abc::def> in dead::beef, face::cafe::add e2e::add f64::abs(x)",
            "12:34:56 link 00:00:5E:00:53:01 up, ratio 16:9, addr ⟦2001:db8:0:1::5⟧",
            "[::1]:8080 :: ::ffff:127.0.0.1 10::20",
            "from ⟦2001:db8::1⟧: refused, addr:⟦2001:db8::9⟧/64 ⟦2001:db8::⟧/32",
            "[client ⟦2001:db8::9:7⟧:51234] and ⟦2001:db8:0:1:2:3:4:5⟧:40112, no ports 2001:db8::9:75123 2001:db8::7:99999",
            "SHA256 16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
            "a:b:c:d ::::: 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9",
        ],
    );
    sees("ipv6", &["addr ⟦e2e::12⟧ and dead::beef"]);
}

#[test]
fn mac() {
    proves(
        "mac",
        &[
            "link ⟦00:00:5E:00:53:01⟧ up ⟦00-00-5E-00-53-01⟧ ⟦0000.5e00.5301⟧ 12:34:56",
            "IN=eth0 MAC=⟦00:00:5e:00:53:01:00:00:5e:00:53:02⟧:08:00 SRC=",
            "ff:ff:ff:ff:ff:ff 00:00:00:00:00:00 0000.0000.0000",
            "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
            "map[mac:⟦00:00:5e:00:53:01⟧ n:7] {Mac:⟦00:00:5e:00:53:02⟧ MAC-00-00-5e",
            "eui ⟦00:00:5e:ff:fe:00:53:01⟧ addr:⟦00:00:5e:00:53:01⟧",
            "6f1c2a9e-fa4e-4b7d-9c11-0a5d3c2e7b88 2026-03-01-10-11-12",
        ],
    );
}

#[test]
fn card() {
    proves(
        "card",
        &[
            "pay ⟦4111111111111111⟧ or ⟦4111 1111 1111 1111⟧ or ⟦5555-5555-5555-4444⟧ ok",
            "karta ⟦4111\u{a0}1111\u{a0}1111\u{a0}1111⟧ odrzucona",
            "card ⟦3782 822463 10005⟧ declined, card ⟦2223003122003222⟧ ok",
            "order 4111111111111112 shipped 1234567890123452",
            "{\"trace_id\":\"4117003120044556679\"}",
            "batch 10411111111111111112 sealed",
            "score 0.4111111111111111 weight 4.111111111111111",
            "card 4111 11** **** 1111 ending 4242",
            "ts=1772323241 ms=1772323241123 us=1772323241123456 ns=1772323241123456789",
            "10:00:00 ⟦4111 1111 1111 1111⟧ 123 exp ⟦4111.1111.1111.1111⟧",
            "is ⟦4111-1111-1111-1111⟧ exp ⟦4111111111111111⟧=2912",
        ],
    );
    sees("card", &["trace_id: ⟦4111111111111111⟧ x ⟦4117003120044556679⟧ ⟦4222222222222⟧"]);
}

#[test]
fn money() {
    proves(
        "iban",
        &[
            "IBAN ⟦PL61109010140000071219812874⟧, ⟦PL61 1090 1014 0000 0712 1981 2874⟧, konto",
            "iban=⟦DE89+3704+0044+0532+0130+00⟧&x=1 and account=⟦de89370400440532013000⟧",
            "part DE89370400440532013001 in stock",
            "to ⟦GB29NWBK60161331926819⟧. ⟦NL91 ABNA 0417 1643 00⟧; ⟦MT84MALT011000012345MTLCAST001S⟧",
        ],
    );
    sees("iban", &["iban: ⟦DE89370400440532013001⟧"]);
    proves("nrb", &["konto ⟦61 1090 1014 0000 0712 1981 2874⟧ x"]);
    sees("nrb", &["konto ⟦61109010140000071219812874⟧ x 61109010140000071219812875"]);
    proves(
        "track-data",
        &[
            "swipe ;⟦4111111111111111=29121010000000000000⟧? end",
            "%B⟦4111111111111111^KOWALSKI/JAN^2912101000000000⟧? x 4111111111111111=29",
        ],
    );
    sees("vat", &["vat ⟦DE111222339⟧ ⟦FR40303265045⟧ ⟦NL004495445B01⟧ VAT-UE ⟦PL1234563218⟧ ⟦PL 123-456-32-18⟧ SE123"]);
}

#[test]
fn phones() {
    proves(
        "phone-e164",
        &[
            "tel. ⟦+48 123 456 789⟧, ⟦(+48) 601-234-567⟧, ⟦+1 (202) 555-0143⟧, ⟦+44 20 7946 0123⟧, ⟦+49 30 23125 000⟧, ⟦+33 1 99 00 12 34⟧",
            "⟦+48-123-456-789⟧ ⟦+48.123.456.789⟧ ⟦+48(12)3456789⟧ ⟦+1-202-555-0143⟧ ⟦+48\u{2011}601\u{2011}234\u{2011}567⟧",
            "⟦+48123456789⟧ ⟦0048 123 456 789⟧ ⟦+44 (0)20 7946 0123⟧ tel=⟦+48601234567⟧,x",
            "+48.5% 2026-03-01T10:00:00+0100 a+48123456789 +1772323241123 +12",
        ],
    );
    sees("phone-e164", &["⟦0048123456789⟧ 00000000000000"]);
    // A bracket in front is the number's only where it closes inside.
    sees("phone-e164", &["Some(⟦+48 601 234 567⟧),None", "⟦(+48) 601 234 567⟧", "x (⟦+48 601 234 567⟧)"]);
    sees(
        "phone-national",
        &[
            "call ⟦601 234 567⟧ or ⟦601234567⟧ or ⟦(202) 555-0143⟧ kom. ⟦22 123 45 67⟧ ⟦020 7946 0123⟧ ⟦01 99 00 12 34⟧",
            "took 601 234 567 ns; 2026-03-01 123 456 789 rows; run 20260301123456; port 0123456789",
            "tel ⟦48123456789⟧, ⟦48 601 234 567⟧, ⟦1-202-555-0143⟧, 99912345678, 1-2-3",
            "phone ref 943 476 5918 order_id=601234567 ts 1772323241",
        ],
    );
    proves("phone-national", &["to ⟦(202) 555-0143⟧ 601 234 567"]);
}

#[test]
fn poland() {
    proves(
        "pesel",
        &["PESEL: ⟦90010112349⟧, dziecko ⟦02210112348⟧", "rows scanned: 90010112340", "x1900101123490 90010112349.5"],
    );
    sees("pesel", &["pesel=⟦90010112340⟧ odrzucony; 90010112340"]);
    sees("nip", &["NIP ⟦123-456-32-18⟧, VAT-UE ⟦PL1234563218⟧, nip: ⟦123 456 32 18⟧"]);
    proves("nip", &["NIP ⟦123-456-32-18⟧ 1234563218 ts=1772323241"]);
    sees("regon", &["REGON ⟦123456785⟧ i ⟦12345678512347⟧; job ⟦123456785⟧ 123456786"]);
    sees("pl-id-card", &["dowód osobisty ⟦ABA300000⟧, ⟦ABA 300000⟧, model ABA300000X XABA300000"]);
    sees("pl-passport", &["paszport ⟦ZS0000177⟧ ⟦ZS 0000177⟧ ZS0000178"]);
    proves("nip", &["uuid 6f1c2a9e-fa4e-4b7d-9c11-123456321801"]);
}

#[test]
fn elsewhere() {
    sees("us-ssn", &["SSN ⟦123-45-6789⟧ case; ticket 000-12-3456; zip+4 12345-6789"]);
    sees("uk-nhs", &["NHS ⟦943 476 5919⟧, phone ref 943 476 5918"]);
    sees("uk-nino", &["NINO ⟦AB 12 34 56 C⟧ ⟦AB123456C⟧ GB123456A XAB123456C"]);
    sees("de-tax-id", &["Steuer-ID ⟦65929970489⟧; ⟦65 929 970 489⟧"]);
    sees("fr-nir", &["NIR ⟦185059999900181⟧; ⟦1 85 05 99 999 001 81⟧"]);
    sees("es-dni", &["DNI ⟦12345678Z⟧ ⟦12345678-Z⟧ 12345678A"]);
    sees("es-nie", &["NIE ⟦X1234567L⟧ ⟦X-1234567-L⟧"]);
    proves("it-codice-fiscale", &["CF ⟦RSSMRA85T10A562S⟧ RSSMRA85T10A562X"]);
    sees("nl-bsn", &["BSN ⟦111222333⟧"]);
    sees("be-national-number", &["NN ⟦85.07.30-033.28⟧ 85.07.30-033.29"]);
    sees("se-personnummer", &["⟦811228-9874⟧ ⟦19811228-9874⟧"]);
    proves("fi-hetu", &["hetu ⟦131052-308T⟧ 131052-308U"]);
    sees("cz-birth-number", &["rc ⟦710319/2745⟧"]);
    proves("ch-ahv", &["⟦756.9217.0769.85⟧ 7569217076985"]);
    sees("in-aadhaar", &["⟦2345 6789 0124⟧"]);
}

#[test]
fn devices_and_tokens() {
    sees("imei", &["imei ⟦490154203237518⟧ ⟦49-015420-323751-8⟧ imei:⟦490154203237519⟧ 490154203237519"]);
    sees("uuid", &["idfa ⟦6f1c2a9e-fa4e-4b7d-9c11-0a5d3c2e7b88⟧ 6f1c2a9e-fa4e-4b7d-9c11-0a5d3c2e7b88-1"]);
    let header = ["eyJhbGciOiJIUzI1NiIs", "InR5cCI6IkpXVCJ9"].concat();
    let token = format!("bearer ⟦{header}.eyJzdWIiOiJmYTRlIn0.fa4e-_sig⟧. next {header}");
    let alone = format!("bearer ⟦{header}.eyJzdWIiOiJmYTRlIn0⟧;");
    proves("jwt", &[&token.replace(&format!(" next {header}"), ""), &alone, "eyJh.x eyJh"]);
    proves(
        "otp-code",
        &[
            "your verification code is ⟦482913⟧. exit code 137",
            "⟦482913⟧ is your login code, status code 404",
            "Kod weryfikacyjny: ⟦123 456⟧ OTP is ⟦8123⟧ G-12 passcode reset in 2026-03-01T10",
        ],
    );
    proves(
        "user-path",
        &[
            "open /home/⟦jkowalski⟧/.bashrc C:\\Users\\⟦Jan.Kowalski⟧\\x C:\\\\Users\\\\⟦anna⟧\\\\y /Users/⟦anna⟧",
            "/home/ubuntu/x /Users/Shared/y https://example.com/home/page /home/",
        ],
    );
}

#[test]
fn persons_and_places() {
    proves(
        "birth-date",
        &[
            "Jan, ur. ⟦01.01.1990⟧ r., umowa z dnia 01.03.2026 r.",
            "born ⟦1990-01-31⟧, hired 2020-05-01; date of birth: ⟦12 March 1985⟧; released March 1, 2026, born ⟦March 1, 1985⟧",
            "\"date_of_birth\":\"⟦1990-01-01⟧\",\"created_at\":\"2026-03-01\" customerBirthDate=⟦1990-01-01⟧T00:00:00Z",
            "urodzony ⟦1 stycznia 1990⟧ r. airborne 2026-03-01 released 2026-03-01",
        ],
    );
    proves(
        "salutation-name",
        &[
            "Szanowna Pani ⟦Anno Nowak⟧, Dear Mr. ⟦Jan Kowalski⟧, Dr. Strange Loop ran",
            "Panie Kliencie, Dear Customer Team, Herr ⟦Müller⟧, Japan Airlines Hello World Mrs. ⟦Anna Nowak-Lis⟧",
        ],
    );
    proves(
        "display-name",
        &[
            "From: \"⟦Kowalski, Jan⟧\" <jan@example.com>, ⟦Anna Nowak⟧ <anna@example.com>",
            "mail from ⟦Żaneta Przykładowa⟧ <z@example.com> and <x@example.com> Vec<a@b>",
        ],
    );
    proves(
        "postal-address",
        &[
            "wysyłka: ⟦ul. Przykładowa 12/3, 30-001 Kraków⟧, waga 2,5 kg",
            "adres ⟦al. 3 Maja 4 m. 5⟧; ⟦ul. Jana Pawła II 7a, 00-950 Warszawa⟧ koniec consul. Foo 12 restr. 12",
            "an ⟦Musterstraße 12, 10115 Berlin⟧, ⟦12 rue de la Paix, 75002 Paris⟧, at ⟦123 Main Street⟧ in 3 retries Sesame Street",
        ],
    );
    sees("postcode-city", &["⟦30-001 Kraków⟧ 12-345 x 2026-03-01 Foo"]);
    sees("uk-postcode", &["postcode ⟦SW1A 1AA⟧ ⟦M1 1AE⟧ A1 B2"]);
    proves("geo-coordinates", &["geo:⟦50.06143,19.93658⟧ 50.06143, 19.93658"]);
    sees("geo-coordinates", &["at ⟦50.06143, 19.93658⟧ 1.234 and ⟦-33.8688,151.2093⟧"]);
    proves(
        "ip-hostname",
        &["node ip-⟦10-0-12-34⟧.eu-central-1.compute.internal ec2-⟦203-0-113-7⟧.x ip-1-2-3 ip-999-1-1-1 zip-1-2-3-4"],
    );
}

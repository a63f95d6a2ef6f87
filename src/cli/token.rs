//! `logveil token` and `logveil query`: from a value to its tokens, and to the search that finds them.

use super::exit::{self, fail};
use super::keyring_file;
use crate::keyring::file::day;
use crate::keyring::{EpochKey, Keyring};
use crate::token::{Minter, Token, TokenClass, normalise::Country};
use serde_json::json;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Show the tokens of a value in all living epochs. The value is read from standard input or asked for;
/// it is never an argument, where every process could read it.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What the value is: em, ip, ipn, ph, cd, ib, id, ac, nm, or email, ip, ip-network, phone, card, iban,
    /// national-id, account, name.
    #[arg(long, value_name = "CLASS", value_parser = class)]
    class: TokenClass,
    /// The keyring file; region and site follow from it.
    #[arg(long, value_name = "FILE")]
    keyring: PathBuf,
    /// Country of national phone numbers: pl, de, fr, gb or us.
    #[arg(long, value_name = "CODE", value_parser = country)]
    country: Option<Country>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// The tokens of a value, and where to look for them.
struct Answer {
    region: String,
    tokens: Vec<(Token, String, String)>,
    /// First day that can still be tied to the value.
    since: String,
}

fn class(name: &str) -> Result<TokenClass, String> {
    let known = || TokenClass::ALL.map(|class| format!("{} ({})", class.short(), class.long())).join(", ");
    TokenClass::by_name(name).ok_or_else(|| format!("classes are {}", known()))
}

fn country(code: &str) -> Result<Country, String> {
    Country::by_code(code).ok_or_else(|| "countries are pl, de, fr, gb, us".to_owned())
}

/// `logveil token`: the tokens.
pub fn run(args: Args) -> ExitCode {
    answered(args, |answer, as_json, out| if as_json { tokens_json(answer, out) } else { tokens_text(answer, out) })
}

/// `logveil query`: the query and the link alone.
pub fn run_query(args: Args) -> ExitCode {
    answered(args, |answer, as_json, out| {
        let (query, link) = (query(answer), link(answer));
        if as_json {
            return writeln!(out, "{}", json!({"query": query, "link": link, "since": answer.since}));
        }
        writeln!(out, "{query}\n{link}")
    })
}

fn answered(args: Args, show: fn(&Answer, bool, &mut dyn Write) -> io::Result<()>) -> ExitCode {
    let ring = match Keyring::load(&args.keyring) {
        Ok(ring) => ring,
        Err(error) => return keyring_file::refuse(&error),
    };
    let value = match keyring_file::secret_line("value") {
        Ok(value) => value,
        Err(error) => return fail(exit::USAGE, error),
    };
    match answer(&ring, args.class, args.country, value.as_bytes(), keyring_file::now()) {
        Err(what) => fail(exit::INVALID, what),
        Ok(answer) => {
            // A closed pipe is no failure of the command.
            let _ = show(&answer, args.json, &mut anstream::stdout().lock());
            ExitCode::SUCCESS
        }
    }
}

fn answer(
    ring: &Keyring,
    class: TokenClass,
    country: Option<Country>,
    value: &[u8],
    now: i64,
) -> Result<Answer, String> {
    let living: Vec<&EpochKey> = ring.living(now).collect();
    let Some(oldest) = living.last() else {
        return Err(format!("{}: no living key; logs can no longer be tied to any value", ring.path().display()));
    };
    let mut tokens = Vec::new();
    for key in &living {
        let token = Minter::new(&key.key, ring.region(), key.epoch, country).mint(class, value);
        // What is wrong is said without the value.
        let token = token.ok_or_else(|| format!("the value has no form of class `{}`", class.long()))?;
        tokens.push((token, day(key.valid_from), day(key.valid_until - 1)));
    }
    Ok(Answer { region: ring.region().to_owned(), tokens, since: day(oldest.valid_from) })
}

fn tokens_text(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    for (token, from, to) in &answer.tokens {
        writeln!(out, "{}  {from} to {to}", token.as_str())?;
    }
    writeln!(out, "older keys are destroyed: logs before {} cannot be tied to this value\n", answer.since)?;
    writeln!(out, "query  {}\nlink   {}", query(answer), link(answer))
}

fn tokens_json(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let tokens: Vec<_> = answer
        .tokens
        .iter()
        .map(|(token, from, to)| json!({"token": token.as_str(), "from": from, "to": to}))
        .collect();
    let (query, link) = (query(answer), link(answer));
    writeln!(
        out,
        "{}",
        json!({"region": answer.region, "tokens": tokens, "since": answer.since, "query": query, "link": link})
    )
}

fn query(answer: &Answer) -> String {
    let tokens: Vec<&str> = answer.tokens.iter().map(|(token, ..)| token.as_str()).collect();
    match tokens.as_slice() {
        [one] => format!("@logveil.tokens:{one}"),
        many => format!("@logveil.tokens:({})", many.join(" OR ")),
    }
}

/// The explorer of the region's site with the query filled in.
fn link(answer: &Answer) -> String {
    let host = if answer.region == "us" { "us3.datadoghq.com" } else { "app.datadoghq.eu" };
    let mut encoded = String::new();
    for byte in query(answer).bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    format!("https://{host}/logs?query={encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::EPOCH_SECONDS;

    const NOW: i64 = 1_795_000_000;

    #[test]
    fn every_living_epoch_answers_with_its_dates() {
        let directory = tempfile::tempdir().unwrap();
        let mut ring = Keyring::empty(&directory.path().join("ring"), "eu");
        ring.extend(NOW).unwrap();
        let later = NOW + EPOCH_SECONDS;
        let answer = answer(&ring, TokenClass::Email, None, b"Jan@Example.com", later).unwrap();
        assert_eq!(answer.tokens.len(), 2);
        let mut text = Vec::new();
        tokens_text(&answer, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains("query  @logveil.tokens:(em_")
                && text.contains("https://app.datadoghq.eu/logs?query=%40logveil.tokens%3A%28em_"),
            "{text}"
        );
        assert!(!text.to_lowercase().contains("example.com"));
    }

    #[test]
    fn refusals_never_repeat_the_value() {
        let directory = tempfile::tempdir().unwrap();
        let mut ring = Keyring::empty(&directory.path().join("ring"), "us");
        ring.extend(NOW).unwrap();
        let refused = answer(&ring, TokenClass::Ip, None, b"not-an-address", NOW).err().unwrap();
        assert!(refused.contains("class `ip`") && !refused.contains("not-an-address"), "{refused}");
        assert!(answer(&ring, TokenClass::Ip, None, b"192.0.2.1", NOW + 3 * EPOCH_SECONDS).is_err());
    }
}

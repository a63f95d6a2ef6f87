//! `logveil intake`: the development intake in the foreground, each received record printed as it comes.

use super::exit::fail;
use crate::config::units::size;
use crate::intake::{Intake, Request, Script, Settings, Stored, Tls};
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

const DIM: Style = Style::new().dimmed();
const MASK: Style = AnsiColor::Yellow.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default();
const GOOD: Style = AnsiColor::Green.on_default();

/// Receive logs as Datadog's intake would, more strictly, and show what arrives.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8750")]
    listen: SocketAddr,
    /// Take only this API key (may be repeated); without it any key will do.
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// What to do to the requests to come, such as '503,429:2,cut | 202,500'. After '|' steps repeat.
    #[arg(long, value_name = "STEPS")]
    script: Option<Script>,
    /// Refuse this Content-Encoding with this status, such as zstd:415.
    #[arg(long, value_name = "NAME:STATUS", value_parser = encoding_status)]
    refuse_encoding: Option<(String, u16)>,
    /// Answer 400 to every request that holds this text.
    #[arg(long, value_name = "TEXT")]
    poison: Option<String>,
    /// Serve HTTPS under this certificate chain, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Forget the oldest requests once those before hold so much JSON (memory is several times that); searches find
    /// only what is not forgotten.
    #[arg(long, value_name = "SIZE", default_value = "16MiB", value_parser = size)]
    keep: u64,
    /// One line of JSON per request instead of text for people.
    #[arg(long)]
    json: bool,
}

/// Runs until it is interrupted; 4 when the address cannot be taken, 2 when a file cannot be read.
pub fn run(args: Args) -> ExitCode {
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => match read_tls(cert, key) {
            Ok(tls) => Some(tls),
            Err(error) => return fail(2, &error),
        },
        _ => None,
    };
    let (json, most) = (args.json, args.keep);
    let settings = Settings {
        listen: args.listen,
        keys: (!args.key.is_empty()).then_some(args.key),
        tls,
        script: args.script.unwrap_or_default(),
        refused_encoding: args.refuse_encoding,
        poison: args.poison,
        on_request: Some(Box::new(move |request, stored| {
            // Written at once: a line at a time would cost more than reading the records.
            let mut out = Vec::new();
            let _ = if json { print_json(&mut out, request, stored) } else { print(&mut out, request, stored) };
            // A closed pipe ends the printing, not the intake.
            let _ = anstream::stdout().lock().write_all(&out);
        })),
        keep: Some(usize::try_from(most).unwrap_or(usize::MAX)),
        on_forget: Some(Box::new(move || {
            let _ = writeln!(
                anstream::stderr(),
                "intake: more than {most} bytes of JSON arrived; from now on the oldest requests are forgotten (--keep)"
            );
        })),
        ..Settings::default()
    };
    match Intake::start(settings) {
        Err(error) => fail(4, format_args!("cannot listen on {}: {error}", args.listen)),
        Ok(intake) => {
            let _ = writeln!(anstream::stderr(), "intake: listening on {}; stop with Ctrl-C", intake.origin());
            wait_for_signal();
            let totals = intake.ledger().book().totals;
            let (requests, lost) = (totals.requests, totals.lost);
            let forgotten = match totals.forgotten {
                0 => String::new(),
                count => format!("; the first {count} requests are forgotten"),
            };
            let _ = writeln!(
                anstream::stderr(),
                "intake: {requests} requests, {} events kept, {lost} lost in silence{forgotten}",
                totals.stored - lost
            );
            ExitCode::SUCCESS
        }
    }
}

/// Prints a request and the events it brought, for people. Masks are highlighted.
///
/// # Errors
/// The output cannot be written.
pub fn print(out: &mut impl Write, request: &Request, stored: &[Stored]) -> io::Result<()> {
    let (style, answer) = match request.status {
        Some(status @ 200..300) => (GOOD, status.to_string()),
        Some(status) => (BAD, status.to_string()),
        None => (BAD, "cut".into()),
    };
    write!(
        out,
        "{DIM}request {} on connection {}{DIM:#}  {style}{answer}{style:#}  {} events, {} bytes of JSON",
        request.number,
        request.connection,
        request.entries,
        request.decoded.len()
    )?;
    if let Some(encoding) = request.header("content-encoding") {
        write!(out, ", {} as {}", request.raw_len, visible(encoding))?;
    }
    if let Some(refusal) = &request.refusal {
        write!(out, "  {BAD}{refusal}{BAD:#}")?;
    }
    writeln!(out)?;
    stored.iter().try_for_each(|stored| print_event(out, stored))
}

fn print_event(out: &mut impl Write, stored: &Stored) -> io::Result<()> {
    let event = &stored.event;
    let text = |name: &str| visible(event[name].as_str().unwrap_or_default());
    writeln!(out, "  {:<9} {}  {}", text("status"), text("service"), highlight(&text("message")))?;
    write!(out, "  {DIM}{:<9} {}  host:{}", "", text("ddtags"), text("hostname"))?;
    for name in ["rules", "tokens"] {
        let items = event["logveil"][name].as_array().map(Vec::as_slice).unwrap_or_default();
        let items: Vec<_> = items.iter().filter_map(|item| item.as_str()).map(visible).collect();
        if !items.is_empty() {
            write!(out, "  {name}:{}", items.join(","))?;
        }
    }
    writeln!(out, "{DIM:#}")?;
    let fate = &stored.fate;
    let losses = [
        (fate.dropped_time, "dropped: too old or too far ahead"),
        (!fate.dropped_time && fate.index.is_none(), "not indexed"),
        (fate.truncated, "cut at 1 MB"),
        (fate.tag_changed, "tags changed"),
        (fate.soft_limit, "over a soft limit"),
    ];
    for (_, loss) in losses.iter().filter(|(happened, _)| *happened) {
        writeln!(out, "  {BAD}{:<9} {loss}{BAD:#}", "")?;
    }
    Ok(())
}

fn print_json(out: &mut impl Write, request: &Request, stored: &[Stored]) -> io::Result<()> {
    let events: Vec<_> = stored.iter().map(|s| &s.event).collect();
    let line = serde_json::json!({
        "request": request.number,
        "connection": request.connection,
        "status": request.status,
        "refusal": request.refusal,
        "entries": request.entries,
        "raw_len": request.raw_len,
        "json_len": request.decoded.len(),
        "kept": request.kept,
        "lost": stored.iter().filter(|s| !s.is_searchable()).count(),
        "events": events,
    });
    writeln!(out, "{line}")
}

/// Text without control characters: what arrives is shown, never obeyed by the terminal.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// Puts labels such as `[email]` in colour.
fn highlight(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let (before, from) = rest.split_at(open);
        out.push_str(before);
        let label = from[1..].find(']').map(|close| &from[..close + 2]).filter(|label| is_label(label));
        let len = match label {
            Some(label) => {
                out.push_str(&format!("{MASK}{label}{MASK:#}"));
                label.len()
            }
            None => {
                out.push('[');
                1
            }
        };
        rest = &from[len..];
    }
    out.push_str(rest);
    out
}

fn is_label(text: &str) -> bool {
    let inner = &text[1..text.len() - 1];
    inner.starts_with(|c: char| c.is_ascii_lowercase())
        && inner.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn encoding_status(text: &str) -> Result<(String, u16), String> {
    let parsed = text.split_once(':').and_then(|(name, status)| Some((name.to_owned(), status.parse().ok()?)));
    parsed.ok_or_else(|| "expected an encoding and a status, such as zstd:415".to_owned())
}

fn read_tls(chain: &PathBuf, key: &PathBuf) -> Result<Tls, String> {
    let read = |path: &PathBuf| std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()));
    Ok(Tls { chain: read(chain)?, key: read(key)? })
}

fn wait_for_signal() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return };
    runtime.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            },
            Err(_) => {
                let _ = tokio::signal::ctrl_c().await;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_cannot_drive_the_terminal() {
        assert_eq!(visible("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\n");
    }

    #[test]
    fn only_labels_are_highlighted() {
        let shown = anstream::adapter::strip_str(&highlight("x [email] [1234] [ERROR] [card-1111")).to_string();
        assert_eq!(shown, "x [email] [1234] [ERROR] [card-1111");
        assert!(highlight("[card-1111]").contains('\u{1b}'));
        assert!(!highlight("[ERROR] a[0] []").contains('\u{1b}'));
    }

    #[test]
    fn encodings_to_refuse() {
        assert_eq!(encoding_status("zstd:415"), Ok(("zstd".to_owned(), 415)));
        assert!(encoding_status("zstd").is_err());
    }
}

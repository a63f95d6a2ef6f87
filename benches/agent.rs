//! The whole agent: a file on disk, redacted, sealed, made durable and sent to a loopback server.
//!
//! `cargo bench --bench agent -- latency` prints how long a line takes from its writing to the answer that takes it,
//! beside the age at which a batch is sealed. `cargo bench --bench agent [-- MiB]` prints the raw megabytes a second of the agent's CPU time (user and
//! system) and its greatest resident memory, from /proc. The server's work is this process's, and not counted.

#![allow(clippy::print_stdout)] // a bench reports to its caller

#[allow(dead_code, unreachable_pub)] // shared by the benches, each of which uses a part
mod corpus;

use std::error::Error;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Raw bytes, unless the command line says otherwise.
const MEBIBYTES: usize = 64;
/// No run takes longer.
const LIMIT: Duration = Duration::from_secs(120);

/// Clock ticks a second in /proc: USER_HZ, 100 on every Linux that logveil runs on.
const TICKS: f64 = 100.0;

/// What the server received.
#[derive(Default)]
struct Received {
    records: AtomicU64,
    packed: AtomicU64,
    /// Milliseconds that lines took which say when they were written.
    took: Mutex<Vec<f64>>,
}

/// What a process has used so far.
struct Usage {
    cpu: f64,
    resident_peak_kib: u64,
}

/// Stands before the time at which a line was written, microseconds since 1970.
const WRITTEN: &str = "written_at=";
/// Lines whose way is timed, the pause between them, and the age at which a batch is sealed unless it is configured.
const TIMED: u32 = 1500;
const PAUSE: Duration = Duration::from_millis(20);
const AGE: Duration = Duration::from_secs(2);

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|word| word == "latency") {
        return latency();
    }
    let mebibytes = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(MEBIBYTES);
    for kind in [corpus::Kind::Mixed, corpus::Kind::Clean, corpus::Kind::Densest] {
        measure(kind, mebibytes << 20)?;
    }
    Ok(())
}

fn measure(kind: corpus::Kind, bytes: usize) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let text = corpus::generate(kind, bytes);
    let (size, lines) = (text.len(), line_count(&text));
    fs::create_dir(folder.path().join("logs"))?;
    fs::write(folder.path().join("logs/all.log"), &text)?;
    drop(text);
    let begun = Instant::now();
    let (mut agent, received) = start(folder.path())?;
    let waited = until_all(&received, lines, begun);
    let (wall, used) = (begun.elapsed(), usage(&agent));
    agent.kill()?;
    agent.wait()?;
    if !waited {
        let log = fs::read_to_string(folder.path().join("own.log"))?;
        return Err(format!("{} of {lines} records arrived\n{log}", received.records.load(Ordering::Relaxed)).into());
    }
    let used = used?;
    let (megabytes, packed) = (size as f64 / 1e6, received.packed.load(Ordering::Relaxed) as f64 / 1e6);
    println!(
        "agent, {kind:?}: {megabytes:.0} MB in {lines} lines, {packed:.1} MB sent; {:.2} CPU s, {:.0} MB per CPU-second, \
         {:.2} s in all, {} KiB resident at most",
        used.cpu,
        megabytes / used.cpu,
        wall.as_secs_f64(),
        used.resident_peak_kib
    );
    Ok(())
}

/// An agent that ships what stands in `root`/logs, and what it shipped.
fn start(root: &Path) -> Result<(Child, Arc<Received>), Box<dyn Error>> {
    let (origin, received) = serve()?;
    configure(root, &origin)?;
    let agent = Command::new(env!("CARGO_BIN_EXE_logveil"))
        .args(["run", "--config"])
        .arg(root.join("logveil.yaml"))
        .stdout(Stdio::null())
        .stderr(fs::File::create(root.join("own.log"))?)
        .spawn()?;
    Ok((agent, received))
}

/// Lines one by one, each with the time of its writing.
fn latency() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("logs"))?;
    let mut log = fs::File::create(folder.path().join("logs/all.log"))?;
    let (mut agent, received) = start(folder.path())?;
    let line = |number: u32| format!("step {number} of user{number}@mail.example done, {WRITTEN}{}\n", micros());
    // The first ones wait for the start and are not timed.
    log.write_all(line(0).as_bytes())?;
    let begun = Instant::now();
    if !until_all(&received, 1, begun) {
        return Err("nothing arrives".into());
    }
    received.took.lock().map_err(|_| "no time")?.clear();
    for number in 1..=TIMED {
        log.write_all(line(number).as_bytes())?;
        std::thread::sleep(PAUSE);
    }
    let all = until_all(&received, u64::from(TIMED) + 1, Instant::now());
    agent.kill()?;
    agent.wait()?;
    let mut took = received.took.lock().map_err(|_| "no time")?.clone();
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    println!(
        "latency: {} lines{}, a batch sealed after {} ms: median {:.0} ms, p99 {:.0} ms, longest {:.0} ms",
        took.len(),
        if all { "" } else { " (not all)" },
        AGE.as_millis(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    Ok(())
}

fn micros() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros()
}

fn line_count(text: &[u8]) -> u64 {
    text.iter().filter(|&&byte| byte == b'\n').count() as u64
}

fn until_all(received: &Received, lines: u64, begun: Instant) -> bool {
    while received.records.load(Ordering::Relaxed) < lines {
        if begun.elapsed() > LIMIT {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

fn configure(root: &Path, origin: &str) -> io::Result<()> {
    let key = root.join("key");
    fs::write(&key, "0123456789abcdef0123456789abcdef\n")?;
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
    let at = root.display();
    fs::write(
        root.join("logveil.yaml"),
        format!(
            "version: 1\nregion: eu\nstate_dir: {at}/state\nhostname: host-1\ntags: [env:bench]\nsources:\n  \
             all:\n    type: file\n    include: ['{at}/logs/*.log']\n    start_at: beginning\n    service: bench\n    \
             ddsource: logveil\nlimits: {{threads: 1}}\noutput:\n  datadog: {{url: '{origin}', api_key: 'file:{at}/key'}}\n\
             admin: {{listen: '127.0.0.1:0'}}\n"
        ),
    )
}

/// User and system time and the greatest resident set of a running child.
fn usage(child: &Child) -> Result<Usage, Box<dyn Error>> {
    let read = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id()));
    let stat = read("stat")?;
    let after_name = stat.rsplit_once(") ").ok_or("no name in stat")?.1;
    let fields: Vec<&str> = after_name.split(' ').collect();
    let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    let status = read("status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let resident_peak_kib = peak.trim().trim_end_matches(" kB").parse()?;
    Ok(Usage { cpu: ticks as f64 / TICKS, resident_peak_kib })
}

/// A server that accepts every batch and counts its records.
fn serve() -> io::Result<(String, Arc<Received>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let origin = format!("http://{}", listener.local_addr()?);
    let received = Arc::new(Received::default());
    let counted = received.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let counted = counted.clone();
            std::thread::spawn(move || answer(stream, &counted));
        }
    });
    Ok((origin, received))
}

fn answer(mut stream: TcpStream, received: &Received) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (mut length, mut zstd, mut line) = (0, false, String::new());
        while reader.read_line(&mut line)? > 2 {
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            zstd |= lower.starts_with("content-encoding:") && lower.contains("zstd");
            line.clear();
        }
        if line.is_empty() {
            return Ok(());
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")?;
        let json = if zstd { zstd::decode_all(&body[..])? } else { body };
        // Quotes inside a record's text are escaped, so only the envelope's own field is counted.
        let records = memchr::memmem::find_iter(&json, b"\"ddsource\":\"").count();
        let now = micros();
        let digits = |at: usize| json[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let times = memchr::memmem::find_iter(&json, WRITTEN).map(|at| at + WRITTEN.len());
        let written = times.filter_map(|at| std::str::from_utf8(&json[at..at + digits(at)]).ok()?.parse::<u128>().ok());
        let took = written.map(|written| now.saturating_sub(written) as f64 / 1000.0);
        received.took.lock().map_err(|_| io::Error::other("no time"))?.extend(took);
        received.packed.fetch_add(length as u64, Ordering::Relaxed);
        received.records.fetch_add(records as u64, Ordering::Relaxed);
    }
}

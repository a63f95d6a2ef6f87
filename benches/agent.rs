//! The whole agent: a file on disk, redacted, sealed, made durable and sent to a loopback server.
//!
//! `cargo bench --bench agent [-- MiB]` prints the raw megabytes a second of the agent's CPU time (user and
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
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

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
}

/// What a process has used so far.
struct Usage {
    cpu: f64,
    resident_peak_kib: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
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
    let (origin, received) = serve()?;
    configure(folder.path(), &origin)?;
    let begun = Instant::now();
    let mut agent = Command::new(env!("CARGO_BIN_EXE_logveil"))
        .args(["run", "--config"])
        .arg(folder.path().join("logveil.yaml"))
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.path().join("own.log"))?)
        .spawn()?;
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
        received.packed.fetch_add(length as u64, Ordering::Relaxed);
        received.records.fetch_add(records as u64, Ordering::Relaxed);
    }
}

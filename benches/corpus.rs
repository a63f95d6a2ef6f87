//! Generated corpora for benchmarks and cost tests: the same bytes on every machine.
//!
//! All values are invented; credentials are assembled here so that no well-formed token stands in the
//! repository.

/// A kind of corpus.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Plain lines without anything sensitive, and without digits that could be.
    Clean,
    /// System logs: addresses and users in many lines.
    System,
    /// Workflow records in JSON, one in seven with something sensitive.
    Workflow,
    /// Half system logs, half workflow records.
    Mixed,
    /// Nine lines in ten hold something sensitive, many encoded.
    Densest,
    /// One megabyte a line.
    Megabyte,
    /// Lines of 8 KiB made to be slow: the same trigger again and again, one trigger after the other.
    Adversarial,
    /// The same in lines of 1 MiB.
    AdversarialMegabyte,
}

/// Every kind, with the name benchmarks show.
pub const KINDS: [(&str, Kind); 8] = [
    ("clean", Kind::Clean),
    ("system", Kind::System),
    ("workflow", Kind::Workflow),
    ("mixed", Kind::Mixed),
    ("densest", Kind::Densest),
    ("megabyte-lines", Kind::Megabyte),
    ("adversarial-8KiB", Kind::Adversarial),
    ("adversarial-1MiB", Kind::AdversarialMegabyte),
];

/// At least `bytes` bytes of whole lines of that kind.
pub fn generate(kind: Kind, bytes: usize) -> Vec<u8> {
    let mut random = Random(0x6c6f_6776_6569_6c00 ^ kind as u64);
    let mut out = Vec::with_capacity(bytes + (2 << 20));
    for turn in 0.. {
        if out.len() >= bytes {
            break;
        }
        let line = match kind {
            Kind::Clean => clean(&mut random),
            Kind::System => system(&mut random),
            Kind::Workflow => workflow(&mut random),
            Kind::Mixed if random.below(2) == 0 => system(&mut random),
            Kind::Mixed => workflow(&mut random),
            Kind::Densest => dense(&mut random),
            Kind::Megabyte => megabyte(&mut random),
            Kind::Adversarial => hostile(HOSTILE[turn % HOSTILE.len()], 8 << 10),
            Kind::AdversarialMegabyte => hostile(HOSTILE[turn % HOSTILE.len()], 1 << 20),
        };
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    out
}

/// Pieces that make naive readers quadratic when repeated.
pub const HOSTILE: [&str; 32] = [
    "password:",
    "\"password\":",
    "::",
    "-----BEGIN ",
    "1:2:3:4:5:6:",
    "%40a",
    "1.1.1.1.",
    "a@",
    "\\\"",
    "{\"a\":[",
    "&amp;",
    "token=token=",
    "4111 ",
    "ghp_",
    "eyJhbGciOi",
    "=?utf-8?Q?",
    "\\u0040",
    "Bearer ",
    "[1,",
    "://a:",
    "Authorization: Bearer ",
    "https://a:b@",
    "jan@example.com,",
    "4111-1111-",
    "aa:bb:",
    "{\"name\":\"token\",",
    "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk",
    "INSERT INTO t (password, ",
    "<password>",
    "password='",
    "\\\\\\\"",
    "sk-",
];

/// One hostile line of about `length` bytes.
pub fn hostile(piece: &str, length: usize) -> String {
    piece.repeat(length / piece.len())
}

/// A small generator of pseudo-random numbers (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn pick<'t>(&mut self, list: &[&'t str]) -> &'t str {
        list[self.below(list.len())]
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(alphabet[self.below(alphabet.len())])).collect()
    }

    fn hex(&mut self, length: usize) -> String {
        self.text(b"0123456789abcdef", length)
    }

    fn token(&mut self, length: usize) -> String {
        self.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", length)
    }

    fn uuid(&mut self) -> String {
        format!("{}-{}-4{}-9{}-{}", self.hex(8), self.hex(4), self.hex(3), self.hex(3), self.hex(12))
    }

    fn time(&mut self) -> String {
        let (day, hour, minute, second) = (1 + self.below(28), self.below(24), self.below(60), self.below(60));
        format!("2026-03-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", self.below(1000))
    }

    fn address(&mut self) -> String {
        let net = self.pick(&["192.0.2", "198.51.100", "203.0.113"]);
        format!("{net}.{}", self.below(256))
    }

    fn email(&mut self) -> String {
        let name = self.pick(&["jan.kowalski", "anna.nowak", "o.brien", "maria", "piotr.zielinski"]);
        format!("{name}{}@example.com", self.below(100))
    }
}

const WORDS: &[&str] = &[
    "worker",
    "started",
    "finished",
    "queue",
    "is",
    "empty",
    "after",
    "retry",
    "of",
    "step",
    "sync",
    "orders",
    "map",
    "fields",
    "loaded",
    "cache",
    "for",
    "connector",
    "with",
    "state",
    "ready",
    "closing",
    "idle",
    "connection",
    "the",
    "batch",
    "was",
    "accepted",
    "by",
    "upstream",
    "in",
    "time",
];

fn prose(random: &mut Random, words: usize) -> String {
    let mut text = String::new();
    for at in 0..words {
        if at > 0 {
            text.push(' ');
        }
        text.push_str(random.pick(WORDS));
    }
    text
}

fn clean(random: &mut Random) -> String {
    let level = random.pick(&["INFO", "DEBUG", "WARN"]);
    let length = 6 + random.below(12);
    format!("{} {level} engine.{} {}", random.time(), random.pick(WORDS), prose(random, length))
}

fn system(random: &mut Random) -> String {
    let (hour, minute, second) = (random.below(24), random.below(60), random.below(60));
    let head = format!("Mar {:2} {hour:02}:{minute:02}:{second:02} combo", 1 + random.below(28));
    let pid = 100 + random.below(30_000);
    match random.below(12) {
        0 => format!("{head} sshd[{pid}]: Failed password for root from {} port {pid} ssh2", random.address()),
        1 => format!(
            "{head} sshd[{pid}]: authentication failure; logname= uid=0 euid=0 tty=NODEVssh ruser= rhost=host-{pid}.example.net"
        ),
        2 => format!(
            "{head} kernel: [{pid}.{second:06}] usb {hour}-{minute}: new high-speed device number {second} using xhci_hcd"
        ),
        3 => format!("{head} systemd[1]: Started Session {pid} of user app."),
        4 => format!(
            "{} - - [{}] \"GET /static/{}.js HTTP/1.1\" 200 {pid} \"-\" \"curl/8.5.0\"",
            random.address(),
            random.time(),
            random.hex(8)
        ),
        5 => format!("{head} CRON[{pid}]: ({}) CMD (run-parts --report /etc/cron.hourly)", random.pick(WORDS)),
        6 => format!(
            "081109 {hour:02}{minute:02}{second:02} {pid} INFO dfs.DataNode$PacketResponder: Received block blk_-{}{} of size 67108864 from /10.251.{hour}.{minute}",
            random.below(1_000_000_000),
            random.below(1_000_000_000)
        ),
        7 => format!(
            "2015-10-18 {hour:02}:{minute:02}:{second:02},{:03} INFO [main] org.apache.hadoop.mapreduce.v2.app.MRAppMaster: Created MRAppMaster for application appattempt_1445144423722_0020_{pid:06}",
            random.below(1000)
        ),
        8 => format!(
            "2016-09-28 {hour:02}:{minute:02}:{second:02}, Info                  CBS    Loaded Servicing Stack v6.1.7601.{pid} with Core: C:\\Windows\\winsxs\\amd64_microsoft-windows-servicingstack_{}\\cbscore.dll",
            random.hex(16)
        ),
        9 => format!(
            "2015-07-29 {hour:02}:{minute:02}:{second:02},{:03} - WARN  [RecvWorker:188978561024:QuorumCnxManager$RecvWorker@762] - Connection broken for id 188978561024, my id = 1",
            random.below(1000)
        ),
        10 => stack_trace(random),
        _ => format!(
            "nova-compute.log.1 2017-05-16 {hour:02}:{minute:02}:{second:02}.{:03} {pid} INFO nova.compute.manager [req-{} - - - - -] [instance: {}] VM Started (Lifecycle Event)",
            random.below(1000),
            random.uuid(),
            random.uuid()
        ),
    }
}

/// Several lines.
fn stack_trace(random: &mut Random) -> String {
    let mut text = format!("{} ERROR worker java.lang.IllegalStateException: {}", random.time(), prose(random, 5));
    for _ in 0..3 + random.below(8) {
        let (package, class) = (random.pick(WORDS), random.pick(&["Engine", "Connector", "Pipeline", "Runner"]));
        let (method, line) = (random.pick(WORDS), random.below(900));
        text.push_str(&format!("\n\tat com.example.{package}.{class}.{method}({class}.java:{line})"));
    }
    text
}

fn workflow(random: &mut Random) -> String {
    let (time, workflow, trace) = (random.time(), random.uuid(), random.hex(32));
    let (run, took) = (1_763_000_000_000 + random.below(1_000_000_000), random.below(10_000));
    let secret = match random.below(28) {
        0 => format!(",\"email\":\"{}\"", random.email()),
        1 => format!(",\"config\":{{\"api_key\":\"{}\",\"retries\":3}}", random.token(24)),
        2 => format!(",\"client_ip\":\"{}\"", random.address()),
        3 => format!(",\"headers\":{{\"Authorization\":\"Bearer {}\"}}", random.token(40)),
        _ => String::new(),
    };
    let step = random.pick(&["sync.orders", "map.fields", "send.invoice"]);
    format!(
        "{{\"ts\":\"{time}\",\"level\":\"info\",\"workflow_id\":\"{workflow}\",\"run\":\"{run}\",\"step\":\"{step}\",\
         \"trace_id\":\"{trace}\",\"took_ms\":{took},\"message\":\"{}\"{secret}}}",
        prose(random, 7)
    )
}

fn dense(random: &mut Random) -> String {
    let (email, address, token) = (random.email(), random.address(), random.token(24));
    match random.below(10) {
        0 => format!("{} INFO login user={email} ip={address} password={token}", random.time()),
        1 => format!("{{\"message\":\"{{\\\"client_secret\\\":\\\"{token}\\\",\\\"region\\\":\\\"eu\\\"}}\"}}"),
        2 => format!("GET /invite?email={}&access_token={token}&plan=pro HTTP/1.1", email.replace('@', "%40")),
        3 => format!("{{\"contact\":\"{}\",\"id\":{}}}", email.replace('@', "\\u0040"), random.below(1000)),
        4 => format!("postgres://sync:{token}@db-1.internal:5432/orders failed after {} ms", random.below(900)),
        5 => format!("Authorization: Bearer {token}{token}"),
        6 => format!("push with {}{} failed from {address}", ["gh", "p_"].concat(), random.token(36)),
        7 => format!("mac=00:00:5e:00:53:{} src={address} dst={} len=60", random.hex(2), random.address()),
        8 => format!("paid by 4111-1111-1111-1111 for {email}, order {}", random.uuid()),
        _ => clean(random),
    }
}

fn megabyte(random: &mut Random) -> String {
    let mut line = String::from("{\"items\":[");
    while line.len() < 1 << 20 {
        line.push_str(&workflow(random));
        line.push(',');
    }
    line.push_str("null]}");
    line
}

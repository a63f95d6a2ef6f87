//! `logveil intake` by the real binary: every step of a script, every option, what it prints and how it ends.

use logveil::sink::http::install_crypto;
use reqwest::{Certificate, Client};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// An answer that takes longer has failed; one byte by byte takes seconds.
const LIMIT: Duration = Duration::from_secs(60);
/// What is never answered is given up after this long.
const STALLED: Duration = Duration::from_secs(1);
const BODY: &str = r#"[{"message":"m1","ddtags":"retention:90d"}]"#;

/// A running intake. What it prints is read to the end by `stop`.
struct Running {
    child: Child,
    origin: String,
    stderr: BufReader<std::process::ChildStderr>,
    stdout: ChildStdout,
}

impl Running {
    fn start(args: &[&str]) -> Running {
        let mut child = Command::new(env!("CARGO_BIN_EXE_logveil"))
            .args([&["intake", "--listen", "127.0.0.1:0"], args].concat())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let stdout = child.stdout.take().expect("piped");
        let mut first = String::new();
        stderr.read_line(&mut first).expect("a line");
        let rest = first.strip_prefix("intake: listening on ").unwrap_or_else(|| panic!("{first}"));
        let origin = rest.split(';').next().expect("an origin").to_owned();
        Running { child, origin, stderr, stdout }
    }

    /// Asks it to end; what it printed on standard output, and its last words.
    fn stop(mut self) -> (String, String) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("signalled");
        let (mut printed, mut said) = (String::new(), String::new());
        self.stdout.read_to_string(&mut printed).expect("text");
        self.stderr.read_to_string(&mut said).expect("text");
        assert!(self.child.wait().expect("an end").success(), "{said}");
        (printed, said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

fn client(trusted: &[Certificate]) -> Client {
    install_crypto();
    let redirects = reqwest::redirect::Policy::none();
    // A cut connection would be tried again behind the test's back.
    let builder = Client::builder().no_proxy().redirect(redirects).retry(reqwest::retry::never());
    builder.tls_certs_only(trusted.iter().cloned()).pool_max_idle_per_host(0).build().expect("a client")
}

/// Sends `body` once: the status with a header of it that a step may set, or why there is none.
async fn send(client: &Client, origin: &str, key: &str, encoding: &str, body: &[u8]) -> String {
    let mut request = client.post(format!("{origin}/api/v2/logs")).header("DD-API-KEY", key).body(body.to_vec());
    if !encoding.is_empty() {
        request = request.header("Content-Encoding", encoding);
    }
    let answer = match tokio::time::timeout(LIMIT, request.send()).await {
        Err(_) => return "nothing".to_owned(),
        Ok(Err(error)) if error.is_connect() => return "no connection".to_owned(),
        Ok(Err(_)) => return "cut".to_owned(),
        Ok(Ok(answer)) => answer,
    };
    let status = answer.status().as_u16();
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let more = header("retry-after").or_else(|| header("location")).map_or(String::new(), |value| format!(" {value}"));
    match answer.bytes().await {
        Ok(_) => format!("{status}{more}"),
        Err(_) => "cut".to_owned(),
    }
}

#[test]
fn every_step_of_a_script_is_played_and_told() {
    let script = "503, 429:2, cut-before, cut, cut-after, cut-stored, redirect:http://127.0.0.1:9/x, 202+200ms, stall, \
                  drip | 500, 202";
    let intake = Running::start(&["--json", "--script", script]);
    let client = client(&[]);
    let answers = run(async {
        let mut answers = Vec::new();
        for number in 0..13 {
            let sent = send(&client, &intake.origin, "k", "", BODY.as_bytes());
            let limit = if number == 8 { STALLED } else { LIMIT * 2 };
            answers.push(tokio::time::timeout(limit, sent).await.unwrap_or_else(|_| "nothing".to_owned()));
        }
        answers
    });
    let wanted = [
        "503",
        "429 2",
        "cut",
        "cut",
        "cut",
        "cut",
        "307 http://127.0.0.1:9/x",
        "202",
        "nothing",
        "202",
        "500",
        "202",
        "500",
    ];
    assert_eq!(answers, wanted);
    let (printed, said) = intake.stop();
    let told: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let kept: Vec<u64> =
        told.iter().filter(|line| line["kept"] == true).filter_map(|line| line["request"].as_u64()).collect();
    assert_eq!((told.len(), kept), (13, vec![5, 7, 9, 11]), "{printed}");
    assert_eq!(told[7]["events"][0]["message"], "m1");
    assert!(said.contains("13 requests, 4 events kept, 0 lost in silence"), "{said}");
}

#[test]
fn keys_encodings_and_poison_are_refused_as_asked() {
    let intake = Running::start(&["--key", "good", "--refuse-encoding", "zstd:415", "--poison", "POISON"]);
    let client = client(&[]);
    let packed = zstd::encode_all(BODY.as_bytes(), 1).expect("packed");
    let poison = BODY.replace("m1", "POISON");
    let answers = run(async {
        [
            send(&client, &intake.origin, "bad", "", BODY.as_bytes()).await,
            send(&client, &intake.origin, "good", "zstd", &packed).await,
            send(&client, &intake.origin, "good", "", poison.as_bytes()).await,
            send(&client, &intake.origin, "good", "", BODY.as_bytes()).await,
        ]
    });
    assert_eq!(answers, ["403", "415", "400", "202"]);
    let (printed, _) = intake.stop();
    assert!(printed.contains("m1") && printed.contains("retention:90d") && printed.contains("403"), "{printed}");
}

#[test]
fn the_oldest_requests_are_forgotten_and_it_says_so() {
    let intake = Running::start(&["--keep", "4KiB", "--json"]);
    let client = client(&[]);
    run(async {
        for _ in 0..9 {
            assert_eq!(send(&client, &intake.origin, "k", "", BODY.as_bytes()).await, "202");
        }
    });
    let (printed, said) = intake.stop();
    assert_eq!(printed.lines().count(), 9, "each is printed: {printed}");
    assert_eq!(said.matches("more than 4096 bytes of JSON arrived").count(), 1, "{said}");
    assert!(said.contains("9 requests, 9 events kept, 0 lost in silence; the first "), "{said}");
    assert!(said.contains(" requests are forgotten"), "{said}");
}

#[test]
fn it_serves_https_under_a_given_certificate() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("cert.pem"), made.cert.pem()).expect("written");
    std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).expect("written");
    let intake = Running::start(&["--tls-cert", &path("cert.pem"), "--tls-key", &path("key.pem")]);
    let port = intake.origin.rsplit(':').next().expect("a port");
    let origin = format!("https://localhost:{port}");
    let trusted = Certificate::from_pem(made.cert.pem().as_bytes()).expect("a certificate");
    let answers = run(async {
        [
            send(&client(&[]), &origin, "k", "", BODY.as_bytes()).await,
            send(&client(&[trusted]), &origin, "k", "", BODY.as_bytes()).await,
        ]
    });
    assert_eq!(answers, ["no connection", "202"]);
    intake.stop();
}

#[test]
fn what_cannot_be_served_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    for (args, code, why) in [
        (&["--script", "503, cuts"][..], 2, "script step \"cuts\" is not known"),
        (&["--refuse-encoding", "zstd"], 2, "an encoding and a status"),
        (&["--keep", "much"], 2, "is no size"),
        (&["--tls-cert", "missing.pem"], 2, "--tls-key"),
        (&["--tls-cert", "missing.pem", "--tls-key", "missing.pem"], 2, "cannot read missing.pem"),
        (&["--listen", &address], 4, "cannot listen on"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_logveil")).arg("intake").args(args).output().expect("the binary");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(code) && said.contains(why), "{args:?}: {said}");
    }
}

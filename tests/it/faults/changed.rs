//! A restart under another configuration: sources that came, went or have other names, other tags, another output.

use super::{intake, numbers, pause, until};
use crate::host::{Host, assert_requests, numbered};
use logveil::intake::Intake;
use std::collections::BTreeSet;
use std::fs;

/// Changes the configuration's text.
fn edit(host: &Host, from: &str, to: &str) {
    let text = fs::read_to_string(host.path("logveil.yaml")).expect("read");
    assert!(text.contains(from), "{from}");
    fs::write(host.path("logveil.yaml"), text.replace(from, to)).expect("written");
}

fn add(host: &Host, file: &str, text: &str) {
    use std::io::Write;
    let mut file = fs::OpenOptions::new().create(true).append(true).open(host.path(file)).expect("a log");
    file.write_all(text.as_bytes()).expect("written");
}

/// Waits until these numbers are at one of the intakes.
fn wait_for(intakes: &[&Intake], host: &Host, from: u64, to: u64) {
    until(&format!("records {from} to {to}"), host, || {
        let seen: BTreeSet<u64> = intakes.iter().flat_map(|intake| numbers(intake)).collect();
        (from..to).all(|number| seen.contains(&number))
    });
}

/// A source's part of the configuration.
fn source(host: &Host, name: &str, pattern: &str) -> String {
    let include = host.path(pattern);
    format!("  {name}:\n    include: ['{}']\n    start_at: beginning\n", include.display())
}

#[test]
fn restarted_with_other_sources_tags_and_another_output() {
    let (old, new) = (intake(""), intake(""));
    let host = Host::new(&old.origin(), "");
    fs::create_dir(host.path("more")).expect("a folder");
    host.append("a.log", &numbered(0, 300));
    let agent = host.start();
    wait_for(&[&old], &host, 0, 300);
    // Some of it waits in the spool for the next run.
    old.play("|503".parse().expect("a script"));
    host.append("a.log", &numbered(300, 600));
    pause(600);
    assert!(agent.stop().success());

    // Another name, another output, other tags, one source more.
    edit(&host, "  workflows:\n", "  jobs:\n");
    edit(&host, &old.origin(), &new.origin());
    edit(&host, "env:test", "env:other");
    edit(&host, "output:\n", &format!("{}output:\n", source(&host, "more", "more/*.log")));
    host.append("a.log", &numbered(600, 700));
    add(&host, "more/x.log", &numbered(700, 800));
    let agent = host.start();
    wait_for(&[&old, &new], &host, 0, 800);
    host.append("b.log", &numbered(800, 900));
    wait_for(&[&old, &new], &host, 800, 900);
    assert!(agent.stop().success());

    // One source less.
    edit(&host, &source(&host, "more", "more/*.log"), "");
    add(&host, "more/x.log", &numbered(900, 1000));
    host.append("a.log", &numbered(1000, 1100));
    let agent = host.start();
    wait_for(&[&old, &new], &host, 1000, 1100);
    assert!(agent.stop().success());
    assert!(!numbers(&new).contains(&900), "what is configured no more is not read");

    // The first name again, and the source that was away.
    edit(&host, "  jobs:\n", "  workflows:\n");
    edit(&host, "output:\n", &format!("{}output:\n", source(&host, "more", "more/*.log")));
    host.append("a.log", &numbered(1100, 1200));
    host.append("b.log", &numbered(1200, 1300));
    let agent = host.start();
    wait_for(&[&old, &new], &host, 0, 1300);
    assert!(agent.stop().success());

    let mut names = BTreeSet::new();
    for stored in [&old, &new].iter().flat_map(|intake| intake.ledger().book().stored.clone()) {
        assert!(names.insert(stored.event["logveil"]["id"].to_string()) || stored.event.is_object());
        let message: serde_json::Value =
            serde_json::from_str(stored.event["message"].as_str().expect("a text")).expect("a record");
        let tags = stored.event["ddtags"].as_str().expect("tags").to_owned();
        match message["n"].as_u64().expect("a number") {
            0..300 => assert_eq!(tags, "env:test,retention:90d"),
            600.. => assert_eq!(tags, "env:other,retention:90d"),
            _ => {}
        }
    }
    assert_eq!(names.len(), 1300, "records read twice");
    [&old, &new].into_iter().for_each(assert_requests);
    host.assert_clean();
}

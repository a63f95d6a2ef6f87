//! The README's commands are those that CI runs, and they do what it says. Its console examples `documentation` runs.

use std::process::{Command, Stdio};

fn read(name: &str) -> String {
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("text")
}

/// Lines of the fenced blocks of this kind in a part of a page.
fn blocks(text: &str, kind: &str) -> Vec<String> {
    let fenced = text.split("```").skip(1).step_by(2);
    fenced.filter_map(|block| block.strip_prefix(&format!("{kind}\n"))).map(|block| block.trim().to_owned()).collect()
}

/// The two commands for a fresh machine.
fn commands() -> [String; 2] {
    let readme = read("README.md");
    let part =
        readme.split("\n## ").find(|part| part.starts_with("Two commands on a fresh machine")).expect("the part");
    blocks(part, "sh").try_into().expect("two commands")
}

#[test]
fn the_two_commands_are_those_of_ci() {
    let [watch, test] = commands();
    let ci = read(".ci/run");
    let step = |name: &str| {
        let line = ci.lines().find_map(|line| line.strip_prefix(&format!("step_{name}() {{ ")));
        line.map(|line| line.trim_end_matches(" }").trim_end_matches(';').to_owned()).expect("a step")
    };
    let setup = step("setup");
    assert_eq!(setup, ".ci/setup");
    let tests = test.strip_prefix(&format!("{setup} && ")).expect("set-up first");
    assert!(step("test").starts_with(tests), "CI runs '{}', the README says '{tests}'", step("test"));
    let steps = ci.lines().find_map(|line| line.strip_prefix("for step in ${*:-")).expect("the steps");
    let steps: Vec<&str> = steps.split(['}', ' ']).collect();
    assert!(steps.contains(&"setup") && steps.contains(&"test"), "{steps:?}");
    let demo = watch.strip_prefix(&format!("{setup} && cargo run ")).expect("set-up first");
    assert!(demo.ends_with(" -- demo") && demo.contains("--locked"), "{demo}");
    let installs = read(".ci/install-check");
    assert!(demo.contains("--profile bench") && installs.contains("--profile bench"), "one build serves both");
}

#[test]
fn the_first_command_shows_every_record_masked_and_tagged() {
    let arguments = commands()[0].split(" -- ").nth(1).expect("arguments").to_owned();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_logveil"));
    let output = demo.args(arguments.split(' ')).stdin(Stdio::null()).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{text}");
    assert!(text.contains("15 of 15 records arrived; 14 sensitive values were planted, 0 of them arrived"), "{text}");
    let tagged = text.lines().filter(|line| line.trim_start().starts_with("env:demo,retention:90d")).count();
    assert_eq!(tagged, 15, "{text}");
    assert!(text.contains("[email]") && text.contains("workflow-engine"), "{text}");
}

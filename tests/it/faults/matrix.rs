//! `tests/FAULTS.md` tells the truth: every planned row stands there once, every test it names exists.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// All rows of the plan: letter and last number. One more has no number of its own, S05b.
const PLANNED: [(char, u32); 8] =
    [('S', 28), ('P', 18), ('D', 14), ('N', 24), ('T', 6), ('L', 13), ('R', 10), ('X', 10)];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Rows of the table: id and what stands in its last column.
fn rows() -> BTreeMap<String, String> {
    let text = fs::read_to_string(root().join("tests/FAULTS.md")).expect("the table");
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[3].is_ascii_digit()) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let before = rows.insert(cells[0].to_owned(), cells.last().expect("a cell").to_string());
        assert_eq!(before, None, "{} stands twice", cells[0]);
    }
    rows
}

/// All that the program and its tests are written in.
fn code() -> String {
    let mut code = String::new();
    ["src", "tests"].iter().for_each(|folder| read_all(&root().join(folder), &mut code));
    code
}

fn read_all(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            read_all(&path, text);
        } else if path.extension().is_some_and(|e| e == "rs") {
            text.push_str(&fs::read_to_string(&path).expect("text"));
        }
    }
}

#[test]
fn every_planned_row_stands_there_and_no_other() {
    let numbered = PLANNED.iter().flat_map(|(letter, last)| (1..=*last).map(move |n| format!("{letter}{n:02}")));
    let planned: BTreeSet<String> = numbered.chain(["S05b".to_owned()]).collect();
    let rows: BTreeSet<String> = rows().into_keys().collect();
    assert_eq!(planned.symmetric_difference(&rows).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// A test that bears the name of a row stands in it.
#[test]
fn every_test_of_a_row_is_named_there() {
    let (rows, mut found) = (rows(), 0);
    for name in code().split("fn ").filter_map(|rest| rest.split('(').next()) {
        let Some((id, _)) = name.split_once('_').filter(|(id, _)| id.len() == 3) else { continue };
        if let Some(cell) = rows.get(&id.to_uppercase()) {
            assert!(cell.contains(&format!("`{name}`")), "{id} does not name {name}");
            found += 1;
        }
    }
    assert!(found > 60, "the tests were read");
}

#[test]
fn every_named_test_exists() {
    let (code, mut named) = (code(), 0);
    for (id, cell) in rows() {
        let tests: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty() || cell.starts_with("open") || cell.starts_with("out"), "{id}: '{cell}'");
        for test in tests {
            assert!(code.contains(&format!("fn {test}(")), "{id} names {test}, which is no test");
            named += 1;
        }
    }
    assert!(named > 20, "the table was read");
}

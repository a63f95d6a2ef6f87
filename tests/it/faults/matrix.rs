//! `tests/FAULTS.md` tells the truth: every planned row stands there once, every test it names exists.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rows that come first in the order of work: letter, first and last number.
const PLANNED: &[(char, u32, u32)] = &[
    ('S', 1, 12),
    ('S', 17, 17),
    ('S', 19, 20),
    ('S', 24, 24),
    ('P', 1, 2),
    ('P', 5, 5),
    ('D', 1, 7),
    ('D', 9, 9),
    ('N', 1, 15),
    ('L', 3, 3),
    ('L', 5, 5),
    ('R', 1, 4),
];

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
fn every_planned_row_is_covered_or_called_open() {
    let rows = rows();
    for (letter, from, to) in PLANNED {
        for number in *from..=*to {
            let id = format!("{letter}{number:02}");
            assert!(rows.contains_key(&id), "{id} is missing");
        }
    }
}

#[test]
fn every_named_test_exists() {
    let mut code = String::new();
    read_all(&root().join("src"), &mut code);
    read_all(&root().join("tests"), &mut code);
    let mut named = 0;
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

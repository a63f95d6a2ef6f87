//! Every kind of mistake, all of them in one run, at the right place.

use super::*;

fn read(text: &str) -> Vec<String> {
    let problems = Problems::new("t.yaml", text);
    if let Some(node) = parse(text, &problems)
        && let Some(fields) = Fields::of(&node, &problems)
    {
        fields.require_text("title");
        fields.flag("enabled");
        fields.number("workers", 1..=64);
        fields.texts("names");
        fields.choice("stage", &[("shadow", 1), ("enforce", 2)]);
        fields.finish();
    }
    problems.into_list().iter().map(ToString::to_string).collect()
}

#[test]
fn a_clean_text_has_no_problems() {
    let text = "title: 'x: y'\nenabled: true\nworkers: 1_6\nnames: [a, 'b']\nstage: shadow\n";
    assert_eq!(read(text), Vec::<String>::new());
}

#[test]
fn all_mistakes_come_in_one_run() {
    let text = "title: 12\nenabld: true\nworkers: 99\nnames:\n  - a\n  - true\nstage: enforced\ntitle: x\nzzz: 1\n";
    assert_eq!(
        read(text),
        [
            "t.yaml:1:8: expected text, found a number (write it in quotes: '12')",
            "t.yaml:2:1: unknown field 'enabld' (did you mean 'enabled'?)",
            "t.yaml:3:10: 99 is out of range: 1 to 64",
            "t.yaml:6:5: expected text, found a truth value (write it in quotes: 'true')",
            "t.yaml:7:8: 'enforced' is not known here (did you mean 'enforce'? one of: shadow, enforce)",
            "t.yaml:8:1: key 'title' is written twice (it stands in line 1 already; remove one of them)",
            "t.yaml:9:1: unknown field 'zzz' (known fields: title, enabled, workers, names, stage)",
        ]
    );
}

#[test]
fn what_yaml_hides_is_refused() {
    for (text, message) in [
        ("title: &a x\nnames: [*a]\n", "aliases are not supported"),
        ("title: !!str 12\n", "is not supported"),
        ("title: x\n---\ntitle: y\n", "a second document"),
        ("title: 'x\n", "not YAML"),
        ("title: x\n\tworkers: 1\n", "not YAML"),
        ("- a\n", "expected fields"),
        ("{title: x, ? [a] : b}\n", "a key must be text"),
        ("title: ''\nenabled: yes\n", "expected true or false, found text"),
    ] {
        let found = read(text).join("\n");
        assert!(found.contains(message), "{text:?} gave {found}");
    }
    let deep = format!("title: {}{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1));
    assert!(read(&deep).join("\n").contains("nested deeper"));
}

#[test]
fn an_empty_text_misses_its_fields() {
    assert_eq!(read("{}\n"), ["t.yaml:1:1: field 'title' is missing (add 'title: …')"]);
}

#[test]
fn a_problem_shows_its_line_with_carets() {
    let text = "title: x\nnames: [ż, 12]\n";
    let problems = Problems::new("t.yaml", text);
    let node = parse(text, &problems).unwrap();
    let fields = Fields::of(&node, &problems).unwrap();
    fields.texts("names");
    let list = problems.into_list();
    let shown = list[0].render(text, false);
    assert_eq!(list[0].column, 12);
    assert!(shown.contains("--> t.yaml:2:12"), "{shown}");
    assert!(shown.contains("^^") && shown.contains("help: write it in quotes"), "{shown}");
}

proptest::proptest! {
    #[test]
    fn any_text_gives_problems_inside_it(text in "[ -~\\n\\tż]{0,200}") {
        let problems = Problems::new("t.yaml", &text);
        parse(&text, &problems);
        for problem in problems.into_list() {
            proptest::prop_assert!(problem.span.end <= text.len());
            problem.render(&text, false);
        }
    }
}

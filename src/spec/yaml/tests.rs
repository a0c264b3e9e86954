//! YAML with places: every mistake at once, bounded aliases and depth.

use std::fmt::Write as _;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::*;
use crate::source::{Diagnostics, SourceMap, render};
use crate::spec::setup::{OneOrMany, PortSpec};
use crate::spec::{CaseFile, SuiteSpec};

/// A type with one of everything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Sample {
    /// Its name.
    name: String,
    #[serde(default)]
    retries: Option<u8>,
    #[serde(default)]
    ratio: Option<f64>,
    #[serde(default)]
    strict: bool,
    #[serde(default)]
    port: PortSpec,
    #[serde(default)]
    models: IndexMap<String, OneOrMany>,
    #[serde(default)]
    within: Option<Span>,
    #[serde(default)]
    items: Vec<Item>,
    #[serde(default)]
    free: Value,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Item {
    /// Where it is found.
    url: String,
    #[serde(default)]
    timeout_s: Option<u32>,
}

fn load_text<T: serde::de::DeserializeOwned + JsonSchema>(text: &str) -> (SourceMap, Option<Loaded<T>>, Diagnostics) {
    let mut map = SourceMap::new();
    let file = map.add("a.yaml", text);
    let (loaded, diagnostics) = load(&map, file);
    (map, loaded, diagnostics)
}

#[track_caller]
fn good(text: &str) -> Sample {
    let (map, loaded, diagnostics) = load_text::<Sample>(text);
    assert!(diagnostics.is_empty(), "{}", render(&map, &diagnostics, false));
    loaded.expect("no mistakes, so a value").spec
}

/// `line:col code message [help]` of every mistake.
fn mistakes<T: serde::de::DeserializeOwned + JsonSchema>(text: &str) -> Vec<String> {
    let (map, _, diagnostics) = load_text::<T>(text);
    diagnostics
        .iter()
        .map(|one| {
            let at = one.at.map_or_else(String::new, |at| map.show(at).trim_start_matches("a.yaml:").to_owned());
            let help = one.help.as_ref().map(|help| format!(" [{help}]")).unwrap_or_default();
            format!("{at} {} {}{help}", one.code, one.message)
        })
        .collect()
}

#[track_caller]
fn bad(text: &str, expect: &[&str]) {
    assert_eq!(mistakes::<Sample>(text), expect, "{text}");
}

#[test]
fn every_mistake_of_a_file_is_shown_at_once_with_its_place() {
    bad(
        "name: a\nretries: three\nstrct: true\nmodels:\n  text: {a: b}\nitems:\n  - url: x\n    timout_s: 4\n  - timeout_s: 1\n",
        &[
            "2:10 yaml/wrong-type expected a whole number, got the text `three`",
            "3:1 yaml/unknown-key unknown key `strct` [did you mean `strict`?]",
            "5:9 yaml/wrong-type expected a text or a list, got a map",
            "8:5 yaml/unknown-key unknown key `timout_s` [did you mean `timeout_s`?]",
            "9:5 yaml/missing-key the key `url` is missing here [`url`: Where it is found.]",
        ],
    );
}

#[test]
fn an_unknown_key_does_not_hide_the_rest() {
    let (map, loaded, diagnostics) = load_text::<Sample>("name: a\nwithni: 5m\nunheard: 3\nitems: [{url: x, timout_s: 4}]\n");
    assert_eq!(diagnostics.len(), 3, "{diagnostics:?}");
    let loaded = loaded.expect("right but for its keys");
    assert_eq!((loaded.spec.within, loaded.spec.items[0].timeout_s), ("5m".parse().ok(), Some(4)));
    assert_eq!(loaded.places.value("/within").map(|at| map.show(at)), Some("a.yaml:2:9".into()));
    // What does not fit under the meant key is left out.
    let (_, loaded, diagnostics) = load_text::<Sample>("name: a\nitems: [{url: x, timout_s: soon}]\n");
    assert_eq!((diagnostics.len(), loaded.expect("right but for its keys").spec.items[0].timeout_s), (1, None));
    // Another mistake leaves nothing to go on with.
    assert!(load_text::<Sample>("name: a\nwithni: 5m\nretries: three\n").1.is_none());
}

#[test]
fn unions_are_judged_by_the_branch_whose_type_fits() {
    bad("name: a\nport: 70000\n", &["2:7 yaml/bad-value expected a number of at most 65535, got the number 70000"]);
    bad(
        "name: a\nport: atuo\n",
        &["2:7 yaml/bad-value expected `auto` or a whole number, got the text `atuo` [did you mean `auto`?]"],
    );
    bad("name: a\nport: [1]\n", &["2:7 yaml/wrong-type expected `auto` or a whole number, got a list"]);
    bad("name: a\nmodels: {text: [a, {b: c}]}\n", &["2:20 yaml/wrong-type expected a text, got a map"]);
    assert_eq!(good("name: a\nport: 8080").port, PortSpec::Fixed(8080));
    assert_eq!(good("name: a\nport: auto").port, PortSpec::Auto);
}

#[test]
fn case_files_and_rows_keep_good_messages_inside_unions() {
    assert_eq!(
        mistakes::<CaseFile>("- name: a\n  ask: b\n  exepct: []\n- nam: b\n"),
        [
            "3:3 yaml/unknown-key unknown key `exepct` [did you mean `expect`?]",
            "4:3 yaml/missing-key the key `name` is missing here [`name`: Title; `<column>` and `<parameter>` are filled in.]",
            "4:3 yaml/unknown-key unknown key `nam` [did you mean `name`?]",
        ]
    );
    assert_eq!(mistakes::<CaseFile>("name: a\neach: {a: b}\n"), ["2:7 yaml/wrong-type expected a text or a list, got a map"]);
    assert_eq!(mistakes::<CaseFile>("name: a\neach: [b]\n"), ["2:8 yaml/wrong-type expected a map, got the text `b`"]);
    assert_eq!(
        mistakes::<CaseFile>("just text\n"),
        [
            "1:1 yaml/wrong-type expected a list or a map, got the text `just text` [a list is written `[a, b]`, or one `- item` a line]"
        ]
    );
}

#[test]
fn scalars_stay_as_written_where_a_text_is_meant() {
    for (written, text) in [
        ("1.10", "1.10"),
        ("007", "007"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("no", "no"),
        ("true", "true"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("2026-01-02", "2026-01-02"),
        ("12:30", "12:30"),
        ("'5'", "5"),
        ("\"é\\n\"", "é\n"),
        ("!!str 5", "5"),
    ] {
        assert_eq!(good(&format!("name: {written}\n")).name, text, "{written}");
        assert_eq!(good(&format!("name: a\nmodels: {{text: [{written}]}}\n")).models["text"].all(), [text], "{written}");
    }
    assert_eq!(good("name: a\nretries: 3.0").retries, Some(3));
    assert_eq!(good("name: a\nfree: [1, 2.5, yes, true, ~]").free, json!([1, 2.5, "yes", true, null]));
    assert_eq!(good("free: &v 1.10\nname: *v").name, "1.10");
    bad(
        "name:\nretries: 300\n",
        &[
            "1:5 yaml/wrong-type expected a text, got nothing [write the text, in quotes if it is empty or the word `null`; or remove the key]",
            "2:10 yaml/bad-value expected a number of at most 255, got the number 300",
        ],
    );
    bad(
        "name: a\nwithin: 60\n",
        &["2:9 yaml/bad-value expected a time span such as `60s`, `500ms` or `2m`, got the number 60 [did you mean `60s`?]"],
    );
    bad(
        "name: a\nwithin: '60'\n",
        &["2:9 yaml/bad-value expected a time span such as `60s`, `500ms` or `2m`, got the text `60` [did you mean `60s`?]"],
    );
    bad(
        "name: a\nwithin: soon\n",
        &["2:9 yaml/bad-value expected a time span such as `60s`, `500ms` or `2m`, got the text `soon`"],
    );
    bad("name: a\nitems: {url: x}\n", &["2:8 yaml/wrong-type expected a list, got a map"]);
}

#[test]
fn parameters_keep_the_digits_that_were_written() {
    let (_, loaded, diagnostics) = load_text::<SuiteSpec>("name: a\nfeatures: [x]\nparameters: {v: [1.10, 2, 0.5, 007, true]}\n");
    assert_eq!(diagnostics, []);
    assert_eq!(loaded.expect("good").spec.parameters["v"], json!(["1.10", 2, 0.5, "007", true]));
}

#[test]
fn numbers_keep_to_their_ranges() {
    assert_eq!(
        mistakes::<SuiteSpec>("name: a\ndefaults: {temperature: 3, top_p: -1, max_tokens: 0, seed: 1e30, retries: -1}\n"),
        [
            "2:25 yaml/bad-value expected a number of at most 2.0, got the number 3",
            "2:35 yaml/bad-value expected a number of at least 0.0, got the number -1",
            "2:51 yaml/bad-value expected a number of at least 1, got the number 0",
            "2:60 yaml/bad-value expected a number of at most 9223372036854775807, got the number 1e+30",
            "2:75 yaml/bad-value expected a number of at least 0, got the number -1",
        ]
    );
}

#[test]
fn structure_that_cannot_be_read_says_where_and_why() {
    bad("", &["1:1 yaml/empty the file says nothing"]);
    bad("# only words\n---\n", &["1:1 yaml/empty the file says nothing"]);
    bad(
        "name: a\nname: b\nretries: x\n",
        &[
            "2:1 yaml/duplicate-key the key `name` is written twice [remove one of the two]",
            "3:10 yaml/wrong-type expected a whole number, got the text `x`",
        ],
    );
    bad(
        "name: a\nitems:\n\t- url: x\n",
        &["3:1 yaml/tab-indentation a tab is used for indentation [indent with spaces: YAML does not allow tabs there]"],
    );
    bad(
        "name: a\nitems:\n  - url: x\n  \ttimeout_s: 3\n",
        &["4:3 yaml/tab-indentation a tab is used for indentation [indent with spaces: YAML does not allow tabs there]"],
    );
    bad("name: [a\n", &["1:7 yaml/syntax this `[` is never closed"]);
    bad(
        "name: *a\n",
        &[
            "1:7 yaml/syntax this alias names an anchor that is not set before it [set it with `&name` first, or quote a text that begins with `*`]",
        ],
    );
    bad(
        "name: a: b\n",
        &["1:8 yaml/syntax a `:` is not allowed here [put a text that holds `: ` in quotes, and check the indentation]"],
    );
    bad("free: &a [*a]\nname: a\n", &["1:11 yaml/syntax this alias stands inside the value it names"]);
    bad("? [a]\n: b\n", &["1:3 yaml/bad-key a key must be a plain text, not a list, map or alias"]);
    bad(
        "name: a\n~: b\n",
        &[
            "2:1 yaml/bad-key a key must be a text, and here is none [write it before the `:`, in quotes if it is empty or the word `null`]",
        ],
    );
    bad("name: a\n<<: 3\n", &["2:1 yaml/bad-merge `<<` takes a map, an alias of one, or a list of those"]);
    bad(
        "name: a\n---\nname: b\n",
        &[
            "3:1 yaml/several-documents a second document begins here, where one is expected [put it into a file of its own, or remove the `---` between them]",
        ],
    );
}

#[test]
fn bombs_and_abysses_are_refused_at_once() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let below = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{below}]").expect("a string takes it");
    }
    let began = std::time::Instant::now();
    let shown = mistakes::<Sample>(&bomb);
    assert!(shown[0].starts_with("6:") && shown[0].contains("yaml/alias-bomb"), "{shown:?}");
    for deep in ["[".repeat(50_000), "{a: ".repeat(50_000), "- ".repeat(50_000), "? ".repeat(50_000)] {
        let shown = mistakes::<Sample>(&deep);
        assert!(shown[0].contains("yaml/too-deep"), "{shown:?}");
    }
    let stairs = (0..5000).fold(String::new(), |stairs, level| stairs + &" ".repeat(level) + "a:\n");
    assert!(mistakes::<Sample>(&stairs)[0].starts_with("101:101 yaml/too-deep"), "{:?}", mistakes::<Sample>(&stairs));
    let deep = |open: &str, close: &str, count: usize| open.repeat(count) + &close.repeat(count);
    for (open, close, count, column) in [
        ("[", "]", 101, 101),
        ("[", "]", 256, 101),
        ("[", "]", 50_000, 101),
        ("{a: ", "}", 50_000, 401),
        ("[é, ", "]", 300, 401),
        ("[é,\n", "]", 300, 1),
        ("[{a: ", "}]", 300, 251),
        ("- ", "", 300, 201),
    ] {
        let shown = mistakes::<Sample>(&deep(open, close, count));
        let line = if open.ends_with('\n') { 101 } else { 1 };
        assert!(shown[0].starts_with(&format!("{line}:{column} yaml/too-deep")), "{open}{count}: {shown:?}");
    }
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[test]
fn aliases_merges_and_a_byte_order_mark_keep_their_places() {
    let text = "\u{feff}name: a\nfree:\n  base: &b {url: x, timeout_s: 1}\nitems:\n- <<: *b\n  timeout_s: 2\n- *b\n";
    let (map, loaded, diagnostics) = load_text::<Sample>(text);
    assert_eq!(diagnostics, [], "{}", render(&map, &diagnostics, false));
    let loaded = loaded.expect("good");
    assert_eq!(loaded.spec.items[0], Item { url: "x".into(), timeout_s: Some(2) });
    let shown = |pointer: &str| loaded.places.value(pointer).map(|at| (map.show(at), map.slice(at).to_owned()));
    let expect = |place: &str, text: &str| Some((place.to_owned(), text.to_owned()));
    assert_eq!(shown("/items/0/url"), expect("a.yaml:3:18", "x"));
    assert_eq!(shown("/items/0/timeout_s"), expect("a.yaml:6:14", "2"));
    assert_eq!(shown("/items/1"), expect("a.yaml:7:3", "*b"));
    assert_eq!(shown("/items/1/url"), expect("a.yaml:3:18", "x"));
    assert_eq!(shown("/items/1/absent/deeper"), expect("a.yaml:7:3", "*b"));
    assert_eq!(loaded.places.key("/items/0/timeout_s").map(|at| map.show(at)), Some("a.yaml:6:3".into()));
}

#[test]
fn several_documents_of_cases_are_one_list_with_places() {
    let mut map = SourceMap::new();
    let file = map.add("c.yaml", "name: a\nask: x\n---\n- name: b\n  ask: y\n- name: c\n  ask: z\n---\n---\nname: d\nask: w\n");
    let (loaded, diagnostics) = load_list::<CaseFile>(&map, file);
    assert_eq!(diagnostics, [], "{}", render(&map, &diagnostics, false));
    let loaded = loaded.expect("good");
    let CaseFile::Many(cases) = &loaded.spec else { panic!("a list") };
    assert_eq!(cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    assert_eq!(loaded.places.value("/2/ask").map(|at| map.show(at)), Some("c.yaml:7:8".into()));
    assert_eq!(loaded.places.value("/3/name").map(|at| map.show(at)), Some("c.yaml:10:7".into()));
}

#[test]
fn a_mistake_is_drawn_with_line_caret_and_help() {
    let (map, _, diagnostics) = load_text::<Sample>("name: a\nitems:\n  - url: x\n    timout_s: 4\n");
    insta::assert_snapshot!(render(&map, &diagnostics, false), @r"
    error[yaml/unknown-key]: unknown key `timout_s`
     --> a.yaml:4:5
      |
    4 |     timout_s: 4
      |     ^^^^^^^^
      |
      = help: did you mean `timeout_s`?
    ");
}

/// Places and values come from two readers of one text: on every file of ours they must see the same tree.
#[test]
fn the_place_tree_and_the_deserialiser_agree_on_every_yaml_file_of_the_repository() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let odd = "{1: a, true: b, 'null': c, '~': d, 1.10: e, '': f, a/b~c: {<<: {x: 1}, <<: [{y: 2}, {x: 3}]}}";
    let mut texts = vec![odd.replace(", <<: [", ", z: [")];
    for folder in ["suites", "setups", "cases", "tools", "phrases", "profiles", "gates", ".github"] {
        for entry in walkdir::WalkDir::new(root.join(folder)).into_iter().filter_map(Result::ok) {
            if entry.path().extension().is_some_and(|kind| kind == "yaml" || kind == "yml") {
                texts.push(std::fs::read_to_string(entry.path()).expect("readable"));
            }
        }
    }
    for text in texts {
        let mut map = SourceMap::new();
        let file = map.add("a.yaml", text.as_str());
        let (loaded, diagnostics) = load_value_list(&map, file);
        let loaded = loaded.unwrap_or_else(|| panic!("{}", render(&map, &diagnostics, false)));
        agree(&map, &loaded.places, &loaded.raw, "");
    }
}

fn agree(map: &SourceMap, places: &Places, value: &Value, pointer: &str) {
    assert!(places.has(pointer), "no place for `{pointer}`");
    match value {
        Value::Array(items) => {
            assert!(!places.has(&format!("{pointer}/{}", items.len())), "{pointer} is longer in the place tree");
            items.iter().enumerate().for_each(|(at, item)| agree(map, places, item, &format!("{pointer}/{at}")));
        }
        Value::Object(entries) => {
            assert_eq!(
                places.keys_of(pointer),
                entries.keys().map(String::as_str).collect::<std::collections::BTreeSet<_>>(),
                "{pointer}"
            );
            entries.iter().for_each(|(name, item)| agree(map, places, item, &format!("{pointer}/{}", escape(name))));
        }
        Value::Number(number) => {
            let written = places.value(pointer).map(|at| map.slice(at).to_owned()).unwrap_or_default();
            assert_eq!(written.parse::<f64>().ok(), number.as_f64(), "{pointer}");
        }
        Value::String(text) => {
            let at = places.value(pointer).expect("has a place");
            let written = map.slice(at);
            let first = text.split_whitespace().next().unwrap_or_default();
            assert!(
                written.contains(first) || written.contains(['\\', '\'', '"', '*']),
                "{pointer}: {text} is not at `{written}`"
            );
        }
        Value::Null | Value::Bool(_) => {}
    }
}

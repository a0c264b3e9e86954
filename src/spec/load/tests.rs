//! Loading each kind of file: what is refused, where, and in which words.

use std::path::Path;

use serde_json::json;

use super::*;
use crate::source::render;

struct Folder {
    folder: tempfile::TempDir,
    map: SourceMap,
}

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("inside the folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        Self { folder, map: SourceMap::new() }
    }

    fn load<T>(
        &mut self,
        path: &str,
        load_kind: impl Fn(&Project, &mut SourceMap, &str) -> (Option<Loaded<T>>, Diagnostics),
    ) -> (Option<Loaded<T>>, Vec<String>) {
        let (loaded, diagnostics) = load_kind(&Project::new(self.folder.path()), &mut self.map, path);
        let shown = |one: &Diagnostic| {
            let at = one.at.map_or_else(String::new, |at| self.map.show(at));
            let help = one.help.as_ref().map(|help| format!(" [{help}]")).unwrap_or_default();
            format!("{at} {} {}{help}", one.code, one.message)
        };
        let diagnostics = diagnostics.iter().map(shown).collect();
        (loaded, diagnostics)
    }
}

#[track_caller]
fn mistakes<T>(
    path: &str,
    text: &str,
    load_kind: impl Fn(&Project, &mut SourceMap, &str) -> (Option<Loaded<T>>, Diagnostics),
    expect: &[&str],
) {
    let (loaded, shown) = Folder::new(&[(path, text)]).load(path, load_kind);
    let shown: Vec<_> = shown.iter().map(|line| line.trim_start_matches(path).trim_start_matches(':')).collect();
    assert_eq!(shown, expect);
    assert!(loaded.is_some(), "what is right in form is handed on");
}

#[test]
fn a_suite_is_held_against_what_it_must_say() {
    mistakes("suites/base.yaml", "name: base\nfeatures: [a.feature]\nparameters: {d: [whole, streamed]}\n", load_suite, &[]);
    mistakes(
        "suites/base.yaml",
        "name: bas\nfeatures: []\nparameters:\n  d: []\n  e: [1, 1]\n",
        load_suite,
        &[
            "1:7 suite/name the file is called `base`, and its name says `bas` [write `name: base`, or rename the file to `bas.yaml`]",
            "2:1 suite/nothing-to-run the suite names neither features nor cases [name some: `features: [\"features/**/*.feature\"]` or `cases: [\"cases/*.yaml\"]`]",
            "4:3 suite/bad-parameter the parameter `d` has no values, so nothing that mentions it would run [give it at least one, or remove it]",
            "5:10 suite/bad-parameter the parameter `e` has the number 1 twice",
        ],
    );
    let (_, shown) = Folder::new(&[("suites/b.yaml", "name: b\nfeatures: [x]\nparameters: {d: whole, e: [{a: b}], f: [[1]]}\n")])
        .load("suites/b.yaml", load_suite);
    assert_eq!(
        shown,
        [
            "suites/b.yaml:3:17 yaml/wrong-type expected a list, got the text `whole` [a list is written `[a, b]`, or one `- item` a line]",
            "suites/b.yaml:3:28 yaml/wrong-type expected a text, a number or `true` or `false`, got a map",
            "suites/b.yaml:3:41 yaml/wrong-type expected a text, a number or `true` or `false`, got a list",
        ]
    );
}

#[test]
fn a_setup_is_held_against_closed_lists_services_and_placeholders() {
    let text = "\
name: one
services:
  server:
    command: [\"<python>\", \"<assets>/s.py\", --port, <prot>, --peer, \"<port:db>\", \"<port:sever>\"]
    env: {TOKEN: \"${TOKEN}\", HOME: \"<out>\"}
    ready: {http: health}
    warm_up: {chat: texts}
    stop: {signal: SIGTREM}
    after: [db]
  loop:
    command: [x]
    after: [server, loop]
models: {txt: m, text: n}
abilities: [chat, tool, \"embeddings?\", stream?]
needs: {memory: 2 gigs, env: [TOKENS]}
auth: {bearer: \"<key>-<port>\"}
";
    mistakes(
        "setups/one.yaml",
        text,
        load_setup,
        &[
            "4:52 setup/unknown-placeholder `<prot>` is not filled in here [did you mean `<port>`?]",
            "4:69 setup/unknown-service `<port:db>`: there is no service `db` [known here: `server`, `loop`]",
            "4:82 setup/unknown-service `<port:sever>`: there is no service `sever` [did you mean `server`?]",
            "5:19 setup/undeclared-env the environment variable `TOKEN` is read, but `needs.env` does not declare it [did you mean `TOKENS`?]",
            "5:37 setup/unknown-placeholder `<out>` is not filled in here [known here: `<python>`, `<assets>`, `<files>`, `<port>`, `<key>`, `<scratch>`, `<fireassay>`]",
            "6:19 setup/bad-path `health` is no path: it must begin with `/`",
            "7:21 setup/unknown-role `texts` is not a role of a model [did you mean `text`?]",
            "8:20 setup/bad-signal `SIGTREM` is not a signal to stop with [did you mean `TERM`?]",
            "9:13 setup/unknown-service there is no service `db` [known here: `loop`]",
            "12:21 setup/unknown-service a service cannot wait for itself [known here: `server`]",
            "13:10 setup/unknown-role `txt` is not a role of a model [did you mean `text`?]",
            "14:19 setup/unknown-ability `tool` is not an ability [did you mean `tools`?]",
            "15:17 setup/bad-memory `2 gigs` is not an amount of memory; write a number and a unit, such as `2GiB` or `512MB`",
            "16:23 setup/unknown-placeholder `<port>` is not filled in here [known here: `<key>`]",
        ],
    );
    mistakes(
        "setups/one.yaml",
        "name: one\nservices:\n  a: {command: [x], after: [b]}\n  b: {command: [x], after: [a]}\n  c: {command: [x], after: [b]}\n  d: {command: [x]}\n",
        load_setup,
        &["3:21 setup/after-cycle these services wait for each other: a, b, c"],
    );
}

#[test]
fn a_setup_lies_over_what_it_extends_and_places_stay_where_things_were_written() {
    let mut folder = Folder::new(&[
        (
            "setups/base.yaml",
            "name: base\nservices:\n  db: {command: [x]}\n  server:\n    command: [a, b]\n    env: {A: '1', B: '2'}\nabilities: [chat, strem]\nlabels: [x]\n",
        ),
        ("setups/mid.yaml", "name: mid\nextends: base\nservices: {server: {env: {B: '3'}}}\nlabels: []\n"),
        ("setups/top.yaml", "name: top\nextends: mid\nservices: {server: {env: {C: '4'}, port: 70000}, extra: {command: [y]}}\n"),
    ]);
    let (_, shown) = folder.load("setups/top.yaml", load_setup);
    assert_eq!(shown, ["setups/top.yaml:3:42 yaml/bad-value expected a number of at most 65535, got the number 70000"]);
    std::fs::write(
        folder.folder.path().join("setups/top.yaml"),
        "name: top\nextends: mid\nservices: {server: {env: {C: '4'}, port: 7000}, extra: {command: [y]}}\n",
    )
    .expect("written");
    let (loaded, shown) = folder.load("setups/top.yaml", load_setup);
    assert_eq!(shown, ["setups/base.yaml:7:19 setup/unknown-ability `strem` is not an ability [did you mean `stream`?]"]);
    let loaded = loaded.expect("right in form");
    let setup = &loaded.spec;
    assert_eq!((setup.name.as_str(), setup.extends.as_deref(), setup.labels.len()), ("top", Some("mid"), 0));
    assert_eq!(setup.services.keys().collect::<Vec<_>>(), ["db", "server", "extra"]);
    assert_eq!(loaded.raw["services"]["server"]["env"], json!({"A": "1", "B": "3", "C": "4"}));
    assert_eq!(setup.services["server"].command, ["a", "b"]);
    let place = |pointer: &str| loaded.places.value(pointer).map(|at| folder.map.show(at)).unwrap_or_default();
    assert_eq!(place("/services/server/env/A"), "setups/base.yaml:6:14");
    assert_eq!(place("/services/server/env/B"), "setups/mid.yaml:3:30");
    assert_eq!(place("/services/server/env/C"), "setups/top.yaml:3:30");
    assert_eq!(place("/services/server/command/1"), "setups/base.yaml:5:18");
    assert_eq!(place("/name"), "setups/top.yaml:1:7");
}

#[test]
fn extends_that_leads_nowhere_or_back_is_shown_where_it_is_written() {
    let mut folder = Folder::new(&[
        ("setups/a.yaml", "name: a\nextends: b\n"),
        ("setups/b.yaml", "name: b\nextends: a\n"),
        ("setups/c.yaml", "name: c\nextends: aa\n"),
        ("setups/d.yaml", "name: d\nextends: d\n"),
        ("setups/e.yaml", "extends: f\nname: e\n"),
        ("setups/f.yaml", "name: [\n"),
        ("setups/g.yaml", "extends: h\n"),
        ("setups/h.yaml", "name: h\n"),
    ]);
    let (_, shown) = folder.load("setups/a.yaml", load_setup);
    assert_eq!(
        shown,
        [
            "setups/b.yaml:2:10 setup/extends-cycle `extends` runs in a circle: setups/a.yaml → setups/b.yaml → setups/a.yaml [remove one of them]"
        ]
    );
    let (_, again) = folder.load("setups/b.yaml", load_setup);
    assert_eq!(again, shown, "a circle is the same from wherever one comes");
    let (_, shown) = folder.load("setups/c.yaml", load_setup);
    // Known names are told only where there are few; ours alone are nearly too many.
    assert!(shown[0].starts_with("setups/c.yaml:2:10 setup/unknown-setup there is no setup `aa`"), "{shown:?}");
    let (_, shown) = folder.load("setups/d.yaml", load_setup);
    assert!(shown[0].starts_with("setups/d.yaml:2:10 setup/extends-cycle"), "{shown:?}");
    let (_, shown) = folder.load("setups/e.yaml", load_setup);
    assert!(shown[0].starts_with("setups/f.yaml:1:7 yaml/syntax"), "{shown:?}");
    let (_, shown) = folder.load("setups/g.yaml", load_setup);
    assert!(shown[0].starts_with("setups/g.yaml:1:1 yaml/missing-key the key `name` is missing here"), "{shown:?}");
}

#[test]
fn cases_are_held_against_what_they_must_say() {
    mistakes(
        "cases/a.yaml",
        "- name: ' '\n- {name: a, ask: b, turns: [{ask: c}]}\n- {name: a, ask: b, tags: [x y, '@ok'], given: {model: txt, replies: streaming}, each: []}\n- {name: a, ask: b, given: {model: <role>, replies: <d>}}\n",
        load_cases,
        &[
            "1:3 case/question the case asks nothing [write `ask: …`, or `turns: [{ask: …, expect: […]}, …]`]",
            "1:9 case/name a case needs a name",
            "2:21 case/question a case has `ask` or `turns`, not both",
            "3:28 case/bad-tag `x y` is no tag: one word, with or without `@`",
            "3:56 case/unknown-role `txt` is not a role of a model [did you mean `text`?]",
            "3:70 case/unknown-delivery `streaming` is not a way replies travel [did you mean `streamed`?]",
            "3:82 case/no-rows `each` has no rows, so the case would not run",
        ],
    );
    let text = "- {name: a, ask: b, given: {replies: stream}}\n- {name: b, ask: b, given: {replies: whole}}\n";
    let (loaded, shown) = Folder::new(&[("cases/a.yaml", text)]).load("cases/a.yaml", load_cases);
    assert_eq!(shown.len(), 1, "{shown:?}");
    let CaseFile::Many(cases) = &loaded.expect("right in form").spec else { panic!("a list") };
    assert_eq!((cases[0].given.replies.as_deref(), cases[1].given.replies.as_deref()), (None, Some("whole")));
    mistakes("cases/a.yaml", "[]\n", load_cases, &["1:1 case/nothing-to-run the file has no cases"]);
}

#[test]
fn a_tool_is_held_against_what_servers_take() {
    mistakes(
        "tools/a b.yaml",
        "name: a b\ninput_schema: {type: array}\noutput_schema: 3\nreturns:\n  - {when: {}, otherwise: error}\n  - {when: {}}\n  - {otherwise: error}\n",
        load_tool,
        &[
            "1:7 tool/name a tool's name has 1 to 64 characters out of `A-Z a-z 0-9 _ -`: servers refuse others [write `a_b`]",
            "2:16 tool/bad-schema the root of `input_schema` must say `type: object`: a call's arguments are an object",
            "3:16 tool/bad-schema expected a schema, got the number 3",
            "5:6 tool/bad-return a result has `when` or `otherwise`, not both",
            "6:6 tool/bad-return a result is `when: {…}, result: …`, or `otherwise: error` or a text",
        ],
    );
}

#[test]
fn a_profile_entry_is_exactly_one_of_rule_and_step_with_dates_and_patterns_that_can_be_read() {
    let entry = "scenario: s, reason: r, source: t";
    let text = format!(
        "name: p.q\nserver: {{like: x}}\ndialect: [{{rule: w21, reason: r, source: ' '}}]\nknown:\n  - {{{entry}}}\n  - {{{entry}, rule: W085, step: x}}\n  - {{{entry}, step: x, actual: '(', review_by: 2027-02-30}}\n  - {{{entry}, rule: W085, actual: x, review_by: 2027-06-30}}\n"
    );
    mistakes(
        "profiles/p.q.yaml",
        &text,
        load_profile,
        &[
            "3:18 profile/bad-rule `w21` is no rule id [write it as `W085`; `fireassay rules` lists them]",
            "3:42 profile/empty `source` says nothing",
            "5:6 profile/known an entry needs a `rule` or a `step` [say what fails: the wire rule (`rule: W085`) or the sentence of the step (`step: …`)]",
            "6:6 profile/known an entry has `rule` or `step`, not both [say what fails: the wire rule (`rule: W085`) or the sentence of the step (`step: …`)]",
            "7:58 profile/bad-pattern `actual` is not a regular expression: unclosed group",
            "7:74 profile/bad-date `2027-02-30` is no date [write it as `2027-06-30`]",
            "8:53 profile/known `actual` is what the step found, so it needs `step`",
        ],
    );
}

#[test]
fn what_a_server_tells_of_itself_needs_names_and_paths() {
    let text = "name: p\nserver: {like: x}\nmetrics: {path: metrics, running: [], completion_tokens: [' '], source: s}\n\
                tokens: {chat: tokenize, source: ''}\n";
    mistakes(
        "profiles/p.yaml",
        text,
        load_profile,
        &[
            "3:17 profile/bad-path `metrics` is no path: it must begin with `/`",
            "3:35 profile/empty `running` names no metric",
            "3:59 profile/empty `completion_tokens` says nothing",
            "4:16 profile/bad-path `tokenize` is no path: it must begin with `/`",
            "4:34 profile/empty `source` says nothing",
        ],
    );
}

#[test]
fn a_profile_may_leave_its_server_open_if_it_forgives_nothing() {
    mistakes("profiles/p.yaml", "name: p\ndialect: []\n", load_profile, &[]);
    mistakes(
        "profiles/p.yaml",
        "name: p\nserver: {}\ndialect: [{rule: W021, reason: r, source: s}]\n",
        load_profile,
        &[
            "1:1 profile/no-server a profile that forgives says whom: its entries must not help another server [write `server: {like: NAME}`, the name that the server gives itself (`fireassay run` shows it)]",
        ],
    );
}

#[test]
fn a_file_that_is_not_there_is_said_so() {
    let (loaded, shown) = Folder::new(&[("suites/base.yaml", "")]).load("suites/bsae.yaml", load_suite);
    assert!(loaded.is_none());
    assert_eq!(shown, [" file/not-found there is no file `suites/bsae.yaml` [did you mean `suites/base.yaml`?]"]);
}

/// Every file of ours must load without a mistake.
#[test]
fn the_files_of_the_repository_load() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (project, mut map) = (Project::new(root), SourceMap::new());
    let mut diagnostics = Vec::new();
    for folder in ["suites", "setups", "cases", "tools", "profiles"] {
        for entry in walkdir::WalkDir::new(root.join(folder)).into_iter().filter_map(Result::ok) {
            let path = entry.path().strip_prefix(root).expect("under the root").to_string_lossy().into_owned();
            if entry.path().extension().is_none_or(|ending| ending != "yaml") || path.contains("/data/") {
                continue;
            }
            diagnostics.extend(match folder {
                "suites" => load_suite(&project, &mut map, &path).1,
                "setups" => load_setup(&project, &mut map, &path).1,
                "cases" => load_cases(&project, &mut map, &path).1,
                "tools" => load_tool(&project, &mut map, &path).1,
                _ => load_profile(&project, &mut map, &path).1,
            });
        }
    }
    assert!(diagnostics.is_empty(), "{}", render(&map, &diagnostics, false));
}

#[test]
fn every_kind_has_a_schema_with_words_for_all_its_keys() {
    for kind in SCHEMA_KINDS {
        let schema = json_schema(kind).expect("a known kind");
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{kind}");
        assert!(schema["title"].is_string() && schema["description"].is_string(), "{kind}");
        jsonschema::meta::validate(&schema).expect("a valid schema");
        described(&schema, kind, &schema);
    }
    assert_eq!(json_schema("feature"), None);
}

fn described(schema: &serde_json::Value, path: &str, root: &serde_json::Value) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        assert!(property["description"].as_str().is_some_and(|text| text.len() > 5), "{path}/{name} has no description");
    }
    if std::ptr::eq(schema, root) {
        for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
            described(definition, &format!("{path}/$defs/{name}"), root);
        }
    }
}

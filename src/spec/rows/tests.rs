//! Data rows: every format, every mistake, linear time.

use std::fmt::Write as _;

use super::*;

fn read(name: &str, text: &str) -> (SourceMap, Option<Vec<Row>>, Diagnostics) {
    let mut map = SourceMap::new();
    let file = map.add(name, text);
    let (rows, diagnostics) = parse_rows(&map, file);
    (map, rows, diagnostics)
}

/// `line:col column=value …` of every row; JSON values between bars.
#[track_caller]
fn rows(name: &str, text: &str, expect: &[&str]) {
    let (map, rows, diagnostics) = read(name, text);
    assert_eq!(diagnostics, []);
    let shown: Vec<String> = rows
        .expect("rows")
        .iter()
        .map(|row| {
            let mut shown = map.show(row.at).trim_start_matches(name).trim_start_matches(':').to_owned();
            for (column, value) in &row.values {
                match value {
                    Datum::Text(text) => write!(shown, " {column}={text}"),
                    Datum::Json(text) => write!(shown, " {column}=|{text}|"),
                }
                .expect("a string takes it");
            }
            shown
        })
        .collect();
    assert_eq!(shown, expect);
}

/// `line:col code message` of every mistake, and how many rows are left.
#[track_caller]
fn bad(name: &str, text: &str, expect: &[&str], left: usize) {
    let (map, rows, diagnostics) = read(name, text);
    let shown: Vec<String> = diagnostics
        .iter()
        .map(|one| {
            let at =
                one.at.map_or_else(String::new, |at| map.show(at).trim_start_matches(name).trim_start_matches(':').to_owned());
            format!("{at} {} {}", one.code, one.message)
        })
        .collect();
    assert_eq!(shown, expect);
    assert_eq!(rows.map_or(0, |rows| rows.len()), left);
}

#[test]
fn csv_rows_keep_quotes_line_breaks_and_places() {
    rows(
        "a.csv",
        "\u{feff}country, capital\r\nFrance,Paris\r\n\r\n\"Côte, d'Ivoire\",\"Yamous\n\"\"soukro\"\"\"\r\n007, 1.10\r\n",
        &[
            "2:1 country=France capital=Paris",
            "4:1 country=Côte, d'Ivoire capital=Yamous\n\"soukro\"",
            "6:1 country=007 capital= 1.10",
        ],
    );
    rows("a.tsv", "a\tb\n1,5\t2", &["2:1 a=1,5 b=2"]);
    rows("a.csv", "a\n5\" pipe\n", &["2:1 a=5\" pipe"]);
}

#[test]
fn every_bad_row_of_a_csv_file_is_shown() {
    bad(
        "a.csv",
        "a,b\n1\n1,2\n1,2,3\n",
        &[
            "2:1 data/ragged-row the header has 2 fields, and this row has 1 field",
            "4:1 data/ragged-row the header has 2 fields, and this row has 3 fields",
        ],
        1,
    );
    bad(
        "a.csv",
        "a,a,\n1,2,3\n",
        &["1:1 data/bad-header the column `a` is named twice", "1:1 data/bad-header column 3 has no name"],
        1,
    );
    bad("a.csv", "a;b\n1;2\n", &["1:1 data/bad-header the header is one column: fields are separated by commas"], 1);
    bad("a.csv", "a,b\n1,\"2\n3,4\n", &["2:1 data/unclosed-quote a quote that begins in this row is never closed"], 0);
    for text in ["", "a,b\n", "\n\n"] {
        bad("a.csv", text, &["1:1 data/empty the file has no rows, so the case would not run"], 0);
    }
    bad("a.txt", "a\n", &["1:1 data/unknown-format `a.txt` is of no known data format"], 0);
}

#[test]
fn json_rows_keep_order_digits_and_places() {
    let expect = ["2:3 b=|1.10| a=x\ty c=|null| d=|{\"z\":[1,2]}|", "3:3 a=|true|"];
    rows("a.json", "[\n  {\"b\": 1.10, \"a\": \"x\\ty\", \"c\": null, \"d\": {\"z\": [1, 2]}},\n  {\"a\": true}]", &expect);
    rows("a.jsonl", "{\"a\": \"é\"}\n\n  {\"a\": 2e3}  \r\n", &["1:1 a=é", "3:3 a=|2e3|"]);
}

#[test]
fn every_bad_row_of_json_is_shown() {
    bad(
        "a.json",
        "[{\"a\": 1},\n 2,\n {\"a\": 1, \"a\": 2}]",
        &[
            "2:2 data/bad-row a row is a map of column and value, got the number 2",
            "3:2 data/duplicate-key the row has `a` twice",
        ],
        1,
    );
    bad("a.json", "{\"a\": 1}", &["1:1 data/bad-row expected a list of objects: `[{\"column\": …}, …]`"], 0);
    bad("a.json", "[{\"a\": 1}\n {\"b\"", &["2:2 data/bad-json expected `,` or `]`"], 0);
    bad("a.json", "[]", &["1:1 data/empty the file has no rows, so the case would not run"], 0);
    bad(
        "a.jsonl",
        "{\"a\": 1}\n  {\"a\": }\n[1]\n",
        &["2:9 data/bad-json expected value", "3:1 data/bad-row a row is a map of column and value, got a list"],
        1,
    );
}

#[test]
fn yaml_rows_keep_what_was_written() {
    rows(
        "a.yaml",
        "- {v: 1.10, n: 007, t: yes, b: true, e: , l: [1, {a: b}], h: 0x1F}\n---\nv: '5'\n",
        &["1:4 v=|1.10| n=007 t=yes b=|true| e=|null| l=|[1,{\"a\":\"b\"}]| h=0x1F", "3:1 v=5"],
    );
    bad("a.yaml", "- {a: b}\n- c\n", &["2:3 data/bad-row a row is a map of column and value, got the text `c`"], 1);
    bad("a.yaml", "a: b\n", &["1:1 data/bad-row expected a list of maps, got a map"], 0);
}

#[test]
fn a_hundred_thousand_rows_are_read_in_linear_time() {
    let csv = |count: usize| {
        (0..count).fold("name,n\n".to_owned(), |mut text, n| {
            writeln!(text, "row {n},{n}").expect("a string takes it");
            text
        })
    };
    let time = |count: usize| {
        let text = csv(count);
        let began = std::time::Instant::now();
        let (_, rows, diagnostics) = read("a.csv", &text);
        assert_eq!((rows.map(|rows| rows.len()), diagnostics), (Some(count), Vec::new()));
        began.elapsed()
    };
    // Quadratic work would take a hundred times as long; a busy machine may well take thirty.
    let (few, many) = (time(10_000), time(100_000));
    assert!(many < few * 40 + std::time::Duration::from_millis(500), "{few:?} {many:?}");
}

#[test]
fn rows_of_a_case_are_found_beside_it_or_in_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir_all(folder.path().join("cases/data")).expect("a folder");
    std::fs::write(folder.path().join("cases/data/a.csv"), "x\n1\n").expect("a file");
    let text = "- {name: a, ask: b, each: data/a.csv}\n- {name: a, ask: b, each: data/b.csv}\n- {name: c, ask: d, each: [{x: 1.10}, {x: y}]}\n- {name: e, ask: f}\n";
    std::fs::write(folder.path().join("cases/c.yaml"), text).expect("a file");
    let (project, mut map) = (Project::new(folder.path()), SourceMap::new());
    let (loaded, diagnostics) = crate::spec::load_cases(&project, &mut map, "cases/c.yaml");
    assert_eq!(diagnostics, []);
    let loaded = loaded.expect("good");
    let CaseFile::Many(cases) = &loaded.spec else { panic!("a list") };
    let mut rows = |at: usize| case_rows(&project, &mut map, &loaded, &format!("/{at}"), &cases[at]);
    assert_eq!(rows(0).0.expect("rows")[0].values, [("x".into(), Datum::Text("1".into()))]);
    let inline = rows(2).0.expect("rows");
    assert_eq!(inline[0].values, [("x".into(), Datum::Json("1.10".into()))]);
    assert_eq!(rows(3), (None, vec![]));
    let (none, refusal) = rows(1);
    assert_eq!((none, refusal[0].code), (None, "file/not-found"));
    assert_eq!(refusal[0].help.as_deref(), Some("did you mean `cases/data/a.csv`?"));
    assert_eq!(map.show(refusal[0].at.expect("at the key")), "cases/c.yaml:2:27");
    assert_eq!(map.show(inline[1].at), "cases/c.yaml:3:40");
}

//! `fireassay steps [WORDS]`: the catalogue, with manual and example.

use serde_json::json;

use super::args::{FormatArg, StepsArgs};
use super::exit::Exit;
use super::terminal;
use crate::plan::StepDef;

pub(super) fn steps(args: &StepsArgs) -> Exit {
    let catalogue = crate::steps::catalogue();
    let words: Vec<String> = args.words.iter().map(|word| word.to_lowercase()).collect();
    let hits: Vec<&StepDef> = catalogue.iter().map(|(_, def)| def).filter(|def| matches(def, &words)).collect();
    if hits.is_empty() {
        let text = args.words.join(" ");
        terminal::err(&format!("no sentence holds `{text}`; the nearest are:"));
        for id in catalogue.nearest(&text, 3) {
            terminal::err(&format!("  {}", catalogue.def(id).sentence));
        }
        return Exit::Usage;
    }
    match args.format {
        FormatArg::Human => terminal::out(&human(&hits)),
        FormatArg::Json => {
            let all: Vec<_> = hits.iter().map(|def| json(def)).collect();
            terminal::out(&format!("{:#}\n", serde_json::Value::Array(all)));
        }
    }
    Exit::Accepted
}

fn matches(def: &StepDef, words: &[String]) -> bool {
    let text = format!("{} {} {} {}", def.kind.word(), def.sentence, def.doc, def.topic).to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

fn human(hits: &[&StepDef]) -> String {
    let mut out = String::new();
    let mut section = String::new();
    for def in hits {
        let here = format!("{} — {}", def.kind.word(), def.topic);
        if here != section {
            out.push_str(&format!("{}{here}\n", if out.is_empty() { "" } else { "\n" }));
            section = here;
        }
        out.push_str(&format!("  {}\n", def.sentence));
        for line in def.doc.lines() {
            out.push_str(format!("      {line}").trim_end());
            out.push('\n');
        }
        if !def.example.is_empty() && def.example != def.sentence {
            out.push_str(&format!("      e.g. {} {}\n", def.kind.word(), def.example.replace('\n', "\n           ")));
        }
    }
    out
}

fn json(def: &StepDef) -> serde_json::Value {
    json!({"keyword": def.kind.word(), "sentence": def.sentence, "topic": def.topic, "doc": def.doc, "example": def.example, "place": def.place})
}

//! Tapes on disk: read, refused, written anew.

use serde_json::json;

use super::*;
use crate::event::ExchangeId;
use crate::tape::Keying;
use crate::wire::{Exchange, Redactor, Request};

fn asked(question: &str) -> Request {
    Request::post_json("/v1/chat/completions", &json!({"model": "m", "messages": [{"role": "user", "content": question}]}))
}

fn recorded(question: &str, reply: &'static str) -> Recorded {
    let begun = Exchange::begun(ExchangeId(1), asked(question), String::new());
    Recorded::of(&Exchange { status: Some(200), body: reply.into(), ..begun }, &Keying::default(), &Redactor::default())
}

fn write(folder: &Path, all: Vec<Recorded>) -> Manifest {
    draft::write(
        folder,
        Manifest { cell: "base[llamacpp]".to_owned(), ..Manifest::default() },
        all.into_iter().map(|recorded| (recorded, false)),
    )
    .unwrap()
    .manifest
}

fn reply(tape: &Tape, question: &str) -> Result<String, Miss> {
    let found = tape.take(&Keying::default().key(&asked(question)))?;
    Ok(String::from_utf8_lossy(&found.body).into_owned())
}

#[test]
fn replies_come_in_their_order_and_the_last_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("base/llamacpp");
    write(&folder, vec![recorded("Hi", "1"), recorded("Ho", "other"), recorded("Hi", "2")]);
    let tape = Tape::load(&folder).unwrap();
    assert_eq!(tape.unused().len(), 3);
    assert_eq!([reply(&tape, "Hi"), reply(&tape, "Hi"), reply(&tape, "Hi")].map(Result::unwrap), ["1", "2", "2"]);
    let unused = tape.unused();
    assert!(unused.len() == 1 && unused[0].starts_with("chat-completions-"), "{unused:?}");
    assert_eq!(reply(&tape, "Ho").unwrap(), "other");
    assert!(tape.unused().is_empty());
}

#[test]
fn what_nobody_recorded_is_told_with_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("t");
    write(&folder, vec![recorded("Hi", "1")]);
    let tape = Tape::load(&folder).unwrap();
    let miss = reply(&tape, "Hey").unwrap_err().to_string();
    let parts = ["POST /v1/chat/completions", "base[llamacpp]", "body.messages[0].content: \"Hi\", not \"Hey\"", "--mode fill"];
    assert!(parts.iter().all(|part| miss.contains(part)), "{miss}");
    let miss = tape.take(&Keying::default().key(&Request::get("/v1/models"))).unwrap_err().to_string();
    assert!(miss.contains("nothing else was asked of that path"), "{miss}");
}

#[test]
fn another_recording_takes_the_place_of_the_old_one_and_keeps_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let tapes = folder.path().join("t");
    let first = write(&tapes, vec![recorded("Hi", "1"), recorded("Ho", "2")]);
    // What an interrupted recording left is in nobody's way.
    std::fs::create_dir(folder.path().join(".t.part")).unwrap();
    std::fs::write(folder.path().join(".t.part/half"), "x").unwrap();
    let second = write(&tapes, vec![recorded("Ho", "3"), recorded("Hi", "1")]);
    assert_eq!(first.exchanges.keys().collect::<Vec<_>>(), second.exchanges.keys().collect::<Vec<_>>());
    assert_eq!(reply(&Tape::load(&tapes).unwrap(), "Ho").unwrap(), "3");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[track_caller]
fn refused(spoil: impl Fn(&Path, &str), expect: &str) {
    let folder = tempfile::tempdir().unwrap();
    let tapes = folder.path().join("t");
    let manifest = write(&tapes, vec![recorded("Hi", "1")]);
    spoil(&tapes, manifest.exchanges.keys().next().unwrap());
    let error = Tape::load(&tapes).unwrap_err().to_string();
    assert!(error.contains(expect), "{error}");
}

#[test]
fn a_packed_tape_is_read_as_its_folder_and_not_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let tapes = folder.path().join("t");
    let long = "why ".repeat(8000);
    write(&tapes, vec![recorded(&long, "1"), recorded("Ho", "2")]);
    let tape = Tape::load(&tapes).unwrap();
    assert_eq!(std::fs::read_dir(tapes.join("blobs")).unwrap().count(), 1, "a long question is kept beside");
    std::fs::write(folder.path().join("t.tar.gz"), tape.pack().unwrap()).unwrap();
    let error = Tape::load(&tapes).unwrap_err().to_string();
    assert!(error.contains("is a tape of the same cell"), "{error}");
    std::fs::remove_dir_all(&tapes).unwrap();
    let packed = Tape::load(&tapes).unwrap();
    assert_eq!(packed.manifest(), tape.manifest());
    assert_eq!(reply(&packed, &long).unwrap(), "1");
    let was = packed.exchanges().find(|(_, recorded)| recorded.body == "1").unwrap().1.request();
    assert_eq!(was.body, asked(&long).body);
}

#[test]
fn a_tape_whose_successor_never_came_is_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let tapes = folder.path().join("t");
    write(&tapes, vec![recorded("Hi", "1")]);
    std::fs::rename(&tapes, folder.path().join(".t.old")).unwrap();
    assert_eq!(reply(&Tape::load(&tapes).unwrap(), "Hi").unwrap(), "1");
}

#[test]
fn a_long_text_that_is_missing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let tapes = folder.path().join("t");
    write(&tapes, vec![recorded(&"why ".repeat(8000), "1")]);
    std::fs::remove_dir_all(tapes.join("blobs")).unwrap();
    let error = Tape::load(&tapes).unwrap_err().to_string();
    assert!(error.contains("the long text `blobs/"), "{error}");
}

#[test]
fn a_tape_that_is_not_whole_is_refused() {
    let change = |path: PathBuf, from: &str, to: &str| {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        std::fs::write(&path, text.replace(from, to)).unwrap();
    };
    refused(|tape, name| std::fs::remove_file(tape.join(name)).unwrap(), "the manifest names it, and it is not there");
    refused(|tape, name| change(tape.join(name), "\n---\n1", "\n---\n2"), "its body is not the one that was recorded");
    refused(|tape, name| change(tape.join(name), "\"status\": 200", "\"status\": 500"), "it was changed since it was recorded");
    refused(|tape, _| change(tape.join(MANIFEST), "\"format\": 2", "\"format\": 9"), "has the format 9");
    refused(|tape, _| change(tape.join(MANIFEST), "\"cell\"", "\"cel\""), "it is no manifest");
    refused(|tape, name| change(tape.join(MANIFEST), name, "../../x"), "`../../x` is no name of a file of this tape");
    refused(|tape, _| std::fs::remove_dir_all(tape).unwrap(), "there is no tape in");
}

#[test]
fn a_recording_takes_the_place_of_a_packed_tape() {
    let folder = tempfile::tempdir().unwrap();
    let (tapes, packed) = (folder.path().join("t"), folder.path().join("t.tar.gz"));
    write(&tapes, vec![recorded("Hi", "1")]);
    std::fs::write(&packed, Tape::load(&tapes).unwrap().pack().unwrap()).unwrap();
    std::fs::remove_dir_all(&tapes).unwrap();
    let manifest = Tape::load(&tapes).unwrap().manifest().clone();
    let draft = draft::write(&tapes, manifest, [(recorded("Hi", "2"), false)]).unwrap();
    assert_eq!(draft.replaced, Some(packed.clone()));
    assert_eq!(reply(&Tape::load(&tapes).unwrap(), "Hi").unwrap(), "2");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_packed_tape_whose_successor_never_came_is_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let (tapes, aside) = (folder.path().join("t"), folder.path().join(".t.tar.gz.old"));
    write(&tapes, vec![recorded("Hi", "1")]);
    std::fs::write(&aside, Tape::load(&tapes).unwrap().pack().unwrap()).unwrap();
    std::fs::remove_dir_all(&tapes).unwrap();
    assert_eq!(reply(&Tape::load(&tapes).unwrap(), "Hi").unwrap(), "1");
    assert!(!aside.exists());
}

#[test]
fn what_was_edited_is_used_where_it_is_accepted_and_written_down_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let tapes = folder.path().join("t");
    let manifest = write(&tapes, vec![recorded("Hi", "1"), recorded("Ho", "2")]);
    let name = manifest.exchanges.keys().find(|name| std::fs::read_to_string(tapes.join(name)).unwrap().ends_with('1')).unwrap();
    let text = std::fs::read_to_string(tapes.join(name)).unwrap();
    std::fs::write(tapes.join(name), text.replace("\n---\n1", "\n---\nby hand")).unwrap();
    let error = Tape::load(&tapes).unwrap_err().to_string();
    assert!(error.contains(name.as_str()) && error.contains("--accept-edits"), "{error}");
    let before = std::fs::read(tapes.join(MANIFEST)).unwrap();
    let tape = Tape::load_with(&tapes, Edits::Accepted).unwrap();
    assert_eq!(reply(&tape, "Hi").unwrap(), "by hand");
    assert_eq!((tape.fresh_edits().len(), tape.manifest().edited.len()), (1, 1));
    assert_eq!(std::fs::read(tapes.join(MANIFEST)).unwrap(), before, "nothing is rewritten by itself");
    tape.accept_edits().unwrap();
    let tape = Tape::load(&tapes).unwrap();
    assert_eq!(tape.manifest().edited.iter().collect::<Vec<_>>(), [name]);
    assert!(tape.fresh_edits().is_empty());
    // What is packed, or pruned, keeps what it says of edits.
    let packed = Tape::unpack(Path::new("p"), &tape.pack().unwrap()).unwrap();
    assert_eq!((packed.manifest().edited.len(), reply(&packed, "Hi").unwrap()), (1, "by hand".to_owned()));
    let other = manifest.exchanges.keys().find(|other| *other != name).unwrap();
    tape.prune(&BTreeSet::from([other.clone()])).unwrap();
    let pruned = Tape::load(&tapes).unwrap();
    assert_eq!((pruned.manifest().exchanges.len(), pruned.manifest().edited.len()), (1, 1));
    assert_eq!(pruned.manifest().recorded, manifest.recorded);
}

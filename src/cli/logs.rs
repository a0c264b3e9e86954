//! `fireassay logs SETUP`: what the services of a stack that stays said, also after its end.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args::LogsArgs;
use super::exit::Exit;
use super::{setups, terminal};
use crate::source::did_you_mean;
use crate::stack::kept::{self, Record};

/// How often new lines are looked for.
const LOOK: Duration = Duration::from_millis(100);
/// The last lines are looked for in so much of a file's end. **Units**: bytes.
const END: u64 = 1 << 20;

pub(super) fn logs(args: &LogsArgs) -> Exit {
    let folder = kept::folder_of(Path::new("."), &args.setup).join("logs");
    let mut files = files(&folder);
    if let Some(service) = &args.service {
        let names: Vec<String> = files.keys().cloned().collect();
        files.retain(|name, _| name == service);
        if files.is_empty() && !names.is_empty() {
            let help = did_you_mean(service, names.iter().map(String::as_str)).unwrap_or_default();
            terminal::err(&format!("error: {}: there is no log of a service `{service}`; {help}", args.setup));
            return Exit::Usage;
        }
    }
    if files.is_empty() {
        terminal::err(&format!("error: {}: has no logs here; `fireassay up {0}` brings it up", args.setup));
        return Exit::Usage;
    }
    let several = files.len() > 1;
    let mut tails: Vec<Tail> = files.into_iter().map(|(name, path)| Tail::new(name, path, several)).collect();
    let first = tails.iter_mut().try_for_each(|tail| tail.last(args.lines));
    if let Err(error) = first.and_then(|()| if args.follow { follow(args, &mut tails) } else { Ok(()) }) {
        terminal::err(&format!("error: {}: cannot read its logs: {error}", args.setup));
        return Exit::Environment;
    }
    Exit::Accepted
}

/// The newest log file of each service.
fn files(folder: &Path) -> BTreeMap<String, PathBuf> {
    // No folder, no logs.
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    // A full file that gave way is `NAME.old.log`.
    let name = |path: &Path| Some(path.file_name()?.to_str()?.strip_suffix(".log")?.to_owned()).filter(|it| !it.contains('.'));
    entries.filter_map(|entry| Some((name(&entry.path())?, entry.path()))).collect()
}

/// Prints what comes until the stack is gone.
fn follow(args: &LogsArgs, tails: &mut [Tail]) -> std::io::Result<()> {
    let runtime = setups::runtime().map_err(|_| std::io::Error::other("no runtime"))?;
    runtime.block_on(async {
        loop {
            let lives = matches!(Record::load(Path::new("."), &args.setup), Ok(Some(record)) if record.keeper_lives());
            tails.iter_mut().try_for_each(Tail::more)?;
            if !lives {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    })
}

/// One log, read up to a place.
struct Tail {
    /// What stands before its lines, where there are several logs.
    before: String,
    path: PathBuf,
    at: u64,
}

impl Tail {
    fn new(name: String, path: PathBuf, several: bool) -> Self {
        Self { before: if several { name + ": " } else { String::new() }, path, at: 0 }
    }

    fn last(&mut self, lines: usize) -> std::io::Result<()> {
        self.at = std::fs::metadata(&self.path)?.len().saturating_sub(END);
        let text = self.read()?;
        let from = text.lines().count().saturating_sub(lines);
        self.print(text.lines().skip(from));
        Ok(())
    }

    fn more(&mut self) -> std::io::Result<()> {
        // A file that is shorter than it was is a new one.
        if std::fs::metadata(&self.path)?.len() < self.at {
            self.at = 0;
        }
        let text = self.read()?;
        self.print(text.lines());
        Ok(())
    }

    /// Whole lines from where it stands.
    fn read(&mut self) -> std::io::Result<String> {
        let mut file = std::fs::File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.at))?;
        let mut bytes = Vec::new();
        file.take(END).read_to_end(&mut bytes)?;
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        self.at += end as u64;
        Ok(String::from_utf8_lossy(&bytes[..end]).into_owned())
    }

    fn print<'a>(&self, lines: impl Iterator<Item = &'a str>) {
        for line in lines {
            terminal::out(&format!("{}{line}\n", self.before));
        }
    }
}

//! Will this machine go to sleep under a long run? Asked on macOS alone: servers and CI machines of other systems do not.

use super::command::{answer, on_path};

/// What a Mac does when nobody touches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sleep {
    /// It stays awake.
    Never,
    /// It sleeps after so many minutes.
    After(u32),
    /// Nobody tells.
    Unknown,
}

/// Asks `pmset`; `None` on other systems than macOS.
pub fn sleep(lookup: &dyn Fn(&str) -> Option<String>) -> Option<Sleep> {
    if !cfg!(target_os = "macos") {
        return None;
    }
    let settings = on_path("pmset", lookup).and_then(|program| answer(&program, &["-g"]));
    Some(settings.as_deref().map_or(Sleep::Unknown, read))
}

/// Reads `pmset -g`: ` sleep                1 (sleep prevented by caffeinate)`.
fn read(settings: &str) -> Sleep {
    let words = settings.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let minutes = words.into_iter().find_map(|words| match words.as_slice() {
        ["sleep", minutes, ..] => minutes.parse().ok(),
        _ => None,
    });
    let prevented = settings.lines().any(|line| line.trim_start().starts_with("sleep ") && line.contains("prevented by"));
    match minutes {
        Some(0) => Sleep::Never,
        Some(_) if prevented => Sleep::Never,
        Some(minutes) => Sleep::After(minutes),
        None => Sleep::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_of_a_mac_are_read() {
        let head = "System-wide power settings:\nCurrently in use:\n standby              1\n displaysleep         10\n";
        assert_eq!(read(&format!("{head} sleep                1\n")), Sleep::After(1));
        assert_eq!(read(&format!("{head} sleep                0\n")), Sleep::Never);
        let awake = " sleep                1 (sleep prevented by caffeinate, powerd)\n";
        assert_eq!(read(&format!("{head}{awake}")), Sleep::Never);
        assert_eq!(read(head), Sleep::Unknown);
    }
}

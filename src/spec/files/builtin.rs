//! The files built into the binary: one row per folder of the repository, and the catalogue of models.

use std::borrow::Cow;

use crate::spec::models::MODELS_FILE;

/// The one file outside the folders.
const MODELS: &[u8] = include_bytes!("../../../models.yaml");

macro_rules! folders {
    ($($folder:tt => $type:ident),* $(,)?) => {
        $(
            #[derive(rust_embed::Embed)]
            #[folder = $folder]
            #[allow_missing = true]
            struct $type;
        )*

        /// The bytes of a built-in file (`suites/base.yaml`).
        pub(super) fn get(path: &str) -> Option<Cow<'static, [u8]>> {
            if path == MODELS_FILE {
                return Some(Cow::Borrowed(MODELS));
            }
            let (folder, rest) = path.split_once('/')?;
            match folder {
                $($folder => $type::get(rest).map(|file| file.data),)*
                _ => None,
            }
        }

        /// The paths of all built-in files.
        pub(super) fn paths() -> impl Iterator<Item = &'static str> {
            static PATHS: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(|| {
                let mut paths: Vec<String> = vec![MODELS_FILE.to_owned()];
                $(paths.extend($type::iter().map(|rest| format!("{}/{rest}", $folder)));)*
                paths.sort_unstable();
                paths
            });
            PATHS.iter().map(String::as_str)
        }
    };
}

folders! {
    "features" => Features,
    "cases" => Cases,
    "suites" => Suites,
    "setups" => Setups,
    "tools" => Tools,
    "clients" => Clients,
    "phrases" => Phrases,
    "profiles" => Profiles,
    "assets" => Assets,
    "tapes" => Tapes,
}

/// Whether a file is built in.
pub(super) fn has(path: &str) -> bool {
    get(path).is_some()
}

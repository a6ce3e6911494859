//! What other files of the folder say of whom Gatus tells. It merges all of them, and takes none where two of them give one
//! setting (`TwiN/deepmerge`): then it does not start, and nothing is watched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use granit_parser::{Event, Parser};

use crate::base::files;
use crate::provider::kept_file;

/// The way to a setting, by the keys that lead to it.
pub(super) type Setting = Vec<String>;

/// The most files of a folder that are looked into.
const MOST: usize = 500;
/// The levels of folders that are looked into.
const DEPTH: usize = 5;

/// The settings under `alerting` of the other files in a folder, with the names of the files.
pub(super) fn settings(folder: &Path, is_ours: &dyn Fn(&str) -> bool) -> BTreeMap<Setting, String> {
    let mut all = BTreeMap::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    let mut seen = 0;
    while let Some((path, depth)) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&path) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            // As Gatus walks: no link is followed to a folder.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.extend((depth < DEPTH).then(|| (path, depth + 1)));
                continue;
            }
            seen += 1;
            let is_read = path
                .extension()
                .is_some_and(|ending| ending == "yaml" || ending == "yml");
            if !is_read || seen > MOST || (depth == 0 && is_ours(&name)) {
                continue;
            }
            let text = files::read_text(&path, kept_file::LARGEST).unwrap_or_default();
            all.extend(settings_in(&text).into_iter().map(|setting| (setting, name.clone())));
        }
    }
    all
}

/// Where the reader is: in a list, or in a mapping after a key or before one.
enum Level {
    List,
    Mapping(Option<String>),
}

/// The settings under `alerting` of one file: what is a mapping or a list is merged, and is none.
pub(super) fn settings_in(text: &str) -> BTreeSet<Setting> {
    let mut found = BTreeSet::new();
    let mut levels: Vec<Level> = Vec::new();
    for event in Parser::new_from_str(text) {
        // What is no YAML Gatus does not read either; that is its owner's to mend.
        let Ok((event, _)) = event else { break };
        match event {
            Event::MappingStart(..) => levels.push(Level::Mapping(None)),
            Event::SequenceStart(..) => levels.push(Level::List),
            Event::MappingEnd | Event::SequenceEnd => {
                levels.pop();
                is_past(&mut levels);
            }
            Event::Scalar(text, ..) => match levels.last_mut() {
                Some(Level::Mapping(key @ None)) => *key = Some(text.into_owned()),
                _ => {
                    found.extend(way(&levels));
                    is_past(&mut levels);
                }
            },
            Event::Alias(..) => is_past(&mut levels),
            _ => {}
        }
    }
    found
}

fn is_past(levels: &mut [Level]) {
    if let Some(Level::Mapping(key)) = levels.last_mut() {
        *key = None;
    }
}

fn way(levels: &[Level]) -> Option<Setting> {
    let key = |level: &Level| match level {
        Level::Mapping(key) => key.clone(),
        Level::List => None,
    };
    let way: Setting = levels.iter().map(key).collect::<Option<_>>()?;
    way.first().is_some_and(|first| first == "alerting").then_some(way)
}

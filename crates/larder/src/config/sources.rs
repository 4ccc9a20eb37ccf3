//! Options from the environment and the configuration file, as words to be put
//! before the command line's own.

use std::collections::BTreeMap;
use std::path::Path;

use clap::{Arg, ArgAction, Command};
use serde_yaml_ng::Value;

/// What was found outside the command line.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) words: Vec<String>,
    pub(super) warnings: Vec<String>,
}

type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Sources {
    /// Reads the file that the words or the environment name, then the environment.
    pub(super) fn read(command: &Command, own: &[String], env: Env<'_>) -> Result<Self, String> {
        let mut found = Self::default();
        let named =
            config_option(own).or_else(|| variable("configfile", env).map(|(_, value)| value));
        if let Some(path) = named {
            found.read_file(command, Path::new(&path))?;
        }
        for option in command.get_arguments() {
            let Some(long) = option.get_long().filter(|long| *long != "configfile") else {
                continue;
            };
            let found_there = names(option).find_map(|name| variable(name, env));
            if let Some((name, value)) = found_there {
                let words = words(option, &value).map_err(|error| format!("{name}: {error}"))?;
                found.put(long, words);
            }
        }
        // An option that may be repeated: the command line's replace the others.
        if own
            .iter()
            .any(|word| word == "--listen" || word.starts_with("--listen="))
        {
            found.put("listen", Vec::new());
        }
        Ok(found)
    }

    /// Words from a stronger source: they replace what a weaker one said.
    fn put(&mut self, long: &str, words: Vec<String>) {
        let (bare, valued) = (format!("--{long}"), format!("--{long}="));
        self.words
            .retain(|word| *word != bare && !word.starts_with(&valued));
        self.words.extend(words);
    }

    fn read_file(&mut self, command: &Command, path: &Path) -> Result<(), String> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("the configuration file {shown} cannot be read: {error}"))?;
        let sections: BTreeMap<String, Value> =
            serde_yaml_ng::from_str(&text).map_err(|error| {
                format!("the configuration file {shown} is not a YAML mapping of sections: {error}")
            })?;
        for (section, content) in sections {
            if !matches!(section.as_str(), "devpi-server" | "larder") {
                continue;
            }
            let Value::Mapping(content) = content else {
                return Err(format!(
                    "the section '{section}' of {shown} is not a mapping of options"
                ));
            };
            for (key, value) in content {
                let key = key.as_str().unwrap_or_default().to_owned();
                let Some(option) = command
                    .get_arguments()
                    .find(|option| names(option).any(|name| name == key))
                else {
                    self.warnings
                        .push(format!("Unknown option '{key}' in {shown}"));
                    continue;
                };
                for value in texts(&value) {
                    let value = value.ok_or_else(|| format!("the option '{key}' in {shown} is neither a text, a number nor a list of them"))?;
                    let words = words(option, &value)
                        .map_err(|error| format!("{key} in {shown}: {error}"))?;
                    self.words.extend(words);
                }
            }
        }
        Ok(())
    }
}

/// `-c FILE`, `-cFILE`, `--configfile FILE`, `--configfile=FILE`.
fn config_option(own: &[String]) -> Option<String> {
    let mut words = own.iter();
    while let Some(word) = words.next() {
        if word == "-c" || word == "--configfile" {
            return words.next().cloned();
        }
        if let Some(path) = word
            .strip_prefix("--configfile=")
            .or_else(|| word.strip_prefix("-c").filter(|rest| !rest.is_empty()))
        {
            return Some(path.to_owned());
        }
    }
    None
}

/// The name of an option, then its other names.
fn names(option: &Arg) -> impl Iterator<Item = &str> {
    let others = option.get_all_aliases().unwrap_or_default();
    option.get_long().into_iter().chain(others)
}

/// devpi: an empty variable counts as none.
fn variable(long: &str, env: Env<'_>) -> Option<(String, String)> {
    let tail = long.replace('-', "_").to_ascii_uppercase();
    ["LARDER", "DEVPISERVER"].into_iter().find_map(|prefix| {
        let name = format!("{prefix}_{tail}");
        let value = env(&name).filter(|value| !value.is_empty())?;
        Some((name, value))
    })
}

fn words(option: &Arg, value: &str) -> Result<Vec<String>, String> {
    let long = option.get_long().unwrap_or_default();
    match option.get_action() {
        ArgAction::SetTrue => Ok(if truth(value)? {
            vec![format!("--{long}")]
        } else {
            Vec::new()
        }),
        ArgAction::Help | ArgAction::Version => Ok(Vec::new()),
        _ => Ok(vec![format!("--{long}={value}")]),
    }
}

/// devpi: 9.1.
fn truth(value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Ok(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Ok(false),
        _ => Err(format!("invalid truth value '{value}'")),
    }
}

/// A scalar, or every scalar of a list; `None` for anything else.
fn texts(value: &Value) -> Vec<Option<String>> {
    match value {
        Value::String(text) => vec![Some(text.clone())],
        Value::Bool(truth) => vec![Some(truth.to_string())],
        Value::Number(number) => vec![Some(number.to_string())],
        Value::Null => Vec::new(),
        Value::Sequence(list) => list.iter().flat_map(texts).collect(),
        Value::Mapping(_) | Value::Tagged(_) => vec![None],
    }
}

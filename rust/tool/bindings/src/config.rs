// SPDX-License-Identifier: BSD-2-Clause

//! Configuration of the build, from its `gen_config.json` files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::failure::{Failure, Result};

/// Prefix of the C macros for these values.
const PREFIX: &str = "CONFIG_";

/// One configuration value.
#[derive(Debug, Clone, PartialEq)]
enum Setting {
    /// Boolean option.
    Flag(bool),
    /// Number, and its text in the file.
    Number(u64, String),
    /// Text that is not a number.
    Text(String),
}

/// Values of a build, by their names in C.
pub struct Configuration {
    settings: BTreeMap<String, (Setting, PathBuf)>,
    /// Largest value of a word.
    word_max: u64,
}

impl Configuration {
    /// Merges the values of files, given by path and text, for a target whose words have `word_bytes` bytes.
    ///
    /// # Errors
    ///
    /// When a text is not a table of values that a C macro could have, or two files contradict each other.
    pub fn parse(files: &[(PathBuf, String)], word_bytes: u32) -> Result<Self> {
        let mut settings: BTreeMap<String, (Setting, PathBuf)> = BTreeMap::new();
        for (file, text) in files {
            let values: BTreeMap<String, Value> = serde_json::from_str(text)
                .map_err(|error| {
                    Failure::new(format!(
                        "`{}` is not a table of configuration values: {error}",
                        file.display()
                    ))
                    .help("give the gen_config.json that the seL4 build wrote; it is cut off if that build was stopped")
                })?;
            for (key, value) in values {
                let name = format!("{PREFIX}{key}");
                let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
                let setting = setting(&value).filter(|_| key.chars().all(plain));
                let setting = setting.ok_or_else(|| {
                    Failure::new(format!(
                        "`{}` gives `{key}` the value `{value}`, which no C macro could have",
                        file.display()
                    ))
                    .help("values are true, false, numbers and lines of text; keys are letters, digits and `_`")
                })?;
                if let Some((other, place)) = settings.get(&name)
                    && *other != setting
                {
                    return Err(Failure::new(format!(
                        "`{key}` has one value in `{}` and another in `{}`",
                        place.display(),
                        file.display()
                    ))
                    .help("give the files of one build"));
                }
                settings.insert(name, (setting, file.clone()));
            }
        }
        let word_max = if word_bytes == 8 {
            u64::MAX
        } else {
            u32::MAX.into()
        };
        Ok(Self { settings, word_max })
    }

    /// Returns the text of `config.rs`.
    pub fn constants(&self) -> String {
        let mut text = String::new();
        for (name, (setting, _)) in &self.settings {
            let (kind, value) = match setting {
                Setting::Flag(on) => ("bool", on.to_string()),
                Setting::Number(number, _) if *number <= self.word_max => {
                    ("usize", number.to_string())
                }
                Setting::Number(number, _) => ("u64", number.to_string()),
                Setting::Text(text) => ("&str", format!("{text:?}")),
            };
            text += &format!("/// `{name}` of this build.\npub const {name}: {kind} = {value};\n");
        }
        text
    }

    /// Returns the text of `cfg`, lines for a build script to print. They declare every name, so that rustc notices a
    /// misspelt one.
    pub fn cfgs(&self) -> String {
        let mut text = String::new();
        for (name, (setting, _)) in &self.settings {
            match setting {
                Setting::Flag(on) => {
                    text += &format!("cargo::rustc-check-cfg=cfg({name})\n");
                    if *on {
                        text += &format!("cargo::rustc-cfg={name}\n");
                    }
                }
                Setting::Number(_, value) | Setting::Text(value) => {
                    // Portable code tests for values that this build does not have.
                    text += &format!(
                        "cargo::rustc-check-cfg=cfg({name}, values(any()))\ncargo::rustc-cfg={name}={value:?}\n"
                    );
                }
            }
        }
        text
    }
}

fn setting(value: &Value) -> Option<Setting> {
    match value {
        Value::Bool(on) => Some(Setting::Flag(*on)),
        Value::Number(number) => Some(Setting::Number(number.as_u64()?, number.to_string())),
        Value::String(text) if text.chars().any(char::is_control) => None,
        Value::String(text) => Some(match number(text) {
            Some(number) => Setting::Number(number, text.clone()),
            None => Setting::Text(text.clone()),
        }),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Parses a number as C writes it.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None if text.starts_with('+') => None,
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_types_that_their_texts_show() {
        let of = |text: &str| setting(&serde_json::from_str(text).expect("JSON"));
        assert_eq!(of("true"), Some(Setting::Flag(true)));
        assert_eq!(of("\"64\""), Some(Setting::Number(64, "64".into())));
        assert_eq!(of("\"0xfF\""), Some(Setting::Number(255, "0xfF".into())));
        assert_eq!(of("7"), Some(Setting::Number(7, "7".into())));
        for text in ["", "+7", "0x", "arm", "-1", "99999999999999999999"] {
            assert_eq!(of(&format!("\"{text}\"")), Some(Setting::Text(text.into())));
        }
        for odd in ["null", "[1]", "{}", "\"a\\nb\"", "1.5"] {
            assert_eq!(of(odd), None, "{odd}");
        }
    }
}

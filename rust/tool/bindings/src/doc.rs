// SPDX-License-Identifier: BSD-2-Clause

//! Conversion of C documentation to rustdoc.
//!
//! seL4's headers use doxygen's commands, and between `@xmlonly` and `@endxmlonly` tags for the typesetting of the manual.

use std::fmt::Write;

/// Returns the lines of `comment` in Markdown. `known` says which names have documentation to link to.
pub fn lines(comment: &str, known: &dyn Fn(&str) -> bool) -> Vec<String> {
    let bare = |line: &str| line.trim().trim_start_matches("* ").trim().to_owned();
    // Text between these marks may continue the sentence before them, so that they do not end a paragraph.
    let is_mark = |line: &String| matches!(&**line, "@xmlonly" | "@endxmlonly");
    let lines: Vec<String> = comment
        .lines()
        .map(bare)
        .filter(|it| !is_mark(it))
        .collect();
    let mut doc = Doc::default();
    for line in without_tags(&lines.join("\n")).lines() {
        doc.line(line.trim());
    }
    doc.markdown(known)
}

/// Parts of a comment.
#[derive(Default)]
struct Doc {
    paragraphs: Vec<String>,
    parameters: Vec<(String, String)>,
    returns: Vec<String>,
    values: Vec<(String, String)>,
    place: Place,
}

/// Part of the comment that a line without a command continues.
#[derive(Default, Clone, Copy)]
enum Place {
    #[default]
    NewParagraph,
    Paragraph,
    Parameter,
    Returns,
    Value,
}

impl Doc {
    fn line(&mut self, line: &str) {
        let Some((command, rest)) = command(line) else {
            return self.plain(line);
        };
        match command {
            "brief" | "details" => {
                self.place = Place::NewParagraph;
                self.plain(rest);
            }
            "return" | "returns" | "result" => {
                self.returns.push(rest.to_owned());
                self.place = Place::Returns;
            }
            "retval" => {
                self.values.push(named(rest));
                self.place = Place::Value;
            }
            _ if command == "param" || command.starts_with("param[") => {
                let (name, text) = named(rest);
                let name = match command {
                    "param[out]" => format!("`{name}` (out)"),
                    "param[in,out]" | "param[inout]" => format!("`{name}` (in and out)"),
                    _ => format!("`{name}`"),
                };
                self.parameters.push((name, text));
                self.place = Place::Parameter;
            }
            // Groups are about the whole file.
            "defgroup" | "addtogroup" | "ingroup" | "{" | "}" | "name" => {
                self.place = Place::NewParagraph;
            }
            _ => self.plain(rest),
        }
    }

    fn plain(&mut self, line: &str) {
        if line.is_empty() {
            self.place = Place::NewParagraph;
            return;
        }
        let item = line.starts_with("- ");
        match self.place {
            Place::Paragraph if item => self.paragraphs.push(line.to_owned()),
            Place::NewParagraph => {
                self.paragraphs.push(String::new());
                self.paragraphs.push(line.to_owned());
                self.place = Place::Paragraph;
            }
            place => {
                let text = match place {
                    Place::Parameter => self.parameters.last_mut().map(|(_, text)| text),
                    Place::Value => self.values.last_mut().map(|(_, text)| text),
                    Place::Returns => self.returns.last_mut(),
                    _ => self.paragraphs.last_mut(),
                };
                if let Some(text) = text {
                    *text = format!("{text} {line}");
                }
            }
        }
    }

    fn markdown(self, known: &dyn Fn(&str) -> bool) -> Vec<String> {
        let mut lines: Vec<String> = self.paragraphs.iter().map(|text| tidy(text)).collect();
        if !self.parameters.is_empty() {
            lines.extend(["", "# Parameters", ""].map(str::to_owned));
            let items = self.parameters.iter();
            lines.extend(items.map(|(name, text)| format!("* {name}: {}", tidy(text))));
        }
        if !self.returns.is_empty() || !self.values.is_empty() {
            lines.extend(["", "# Returns", ""].map(str::to_owned));
            lines.extend(self.returns.iter().map(|text| tidy(text)));
            if !self.returns.is_empty() && !self.values.is_empty() {
                lines.push(String::new());
            }
            for (name, text) in &self.values {
                let name = if known(name) {
                    format!("[`{name}`]")
                } else {
                    format!("`{name}`")
                };
                lines.push(format!("* {name}: {}", tidy(text)));
            }
        }
        let written = |line: &String| !line.is_empty();
        let first = lines.iter().position(written).unwrap_or(lines.len());
        lines.split_off(first)
    }
}

/// Splits `@command rest`.
fn command(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_prefix('@').or_else(|| line.strip_prefix('\\'))?;
    let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    Some((command, rest.trim()))
}

fn named(text: &str) -> (String, String) {
    let (name, text) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (name.to_owned(), text.trim().to_owned())
}

/// Replaces tags with their words.
fn without_tags(text: &str) -> String {
    let text = text.replace("@xmlonly", "").replace("@endxmlonly", "");
    let mut plain = String::new();
    let mut rest = &*text;
    while let Some(start) = rest.find('<') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let Some((tag, after)) = rest[1..].split_once('>').filter(|(tag, _)| is_tag(tag)) else {
            plain.push('<');
            rest = &rest[1..];
            continue;
        };
        plain.push_str(&in_words(tag));
        rest = after;
    }
    plain.push_str(rest);
    for (entity, letter) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ] {
        plain = plain.replace(entity, letter);
    }
    plain
}

fn is_tag(tag: &str) -> bool {
    let name = tag.trim_start_matches('/');
    !tag.contains('<')
        && name.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && (tag.starts_with('/')
            || tag.ends_with('/')
            || tag.contains('=')
            || name.chars().all(char::is_alphanumeric))
}

fn in_words(tag: &str) -> String {
    let name = tag
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    let attribute = |key: &str| {
        let (_, after) = tag.split_once(&format!("{key}="))?;
        let quote = after.chars().next().filter(|mark| "'\"".contains(*mark))?;
        after[1..].split_once(quote).map(|(value, _)| value)
    };
    match name {
        // Name and label of the item in the manual.
        "manual" => String::new(),
        "errorenumdesc" => "`seL4_NoError`, or what went wrong:".to_owned(),
        "autoref" => format!("`{}` in the manual", attribute("label").unwrap_or_default()),
        "shortref" => format!("`{}` in the manual", attribute("sec").unwrap_or_default()),
        _ => match attribute("text").or_else(|| attribute("name")) {
            Some(text) => format!("`{text}`"),
            None => String::new(),
        },
    }
}

/// Joins the words of a paragraph and escapes letters that have a meaning in Markdown.
fn tidy(text: &str) -> String {
    let mut words = String::new();
    for word in text.split_whitespace() {
        let joins = [".", ",", ";", ":", ")"]
            .iter()
            .any(|mark| word.starts_with(mark));
        if !words.is_empty() && !joins {
            words.push(' ');
        }
        words.push_str(word);
    }
    let mut tidy = String::new();
    let mut code = false;
    for letter in words.chars() {
        match letter {
            '`' => code = !code,
            '<' | '>' | '[' | ']' | '\\' if !code => tidy.push('\\'),
            _ => {}
        }
        tidy.push(letter);
    }
    if code {
        // The span was never closed.
        tidy = tidy.replace('`', "\\`");
    }
    link_addresses(&tidy)
}

/// Makes links of web addresses, by brackets.
fn link_addresses(text: &str) -> String {
    let mut linked = String::new();
    for word in text.split_inclusive(' ') {
        let address = word.trim_end_matches([' ', '.', ',', ')']);
        if address.starts_with("https://") || address.starts_with("http://") {
            // Writing to a string does not fail.
            let _ = write!(linked, "<{address}>{}", &word[address.len()..]);
        } else {
            linked.push_str(word);
        }
    }
    linked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doxygen_and_the_manuals_tags_become_markdown() {
        let comment = "\
@xmlonly <manual name=\"Configure\" label=\"tcb_configure\"/> @endxmlonly
@brief @xmlonly Set the parameters @endxmlonly

@xmlonly
<docref>See <autoref label=\"sec:threads\"/></docref>
@endxmlonly

@param[in] _service The TCB.
  It must be one.
@param[out] badge Written if x < 3 or a[1].
@return @xmlonly <errorenumdesc/> @endxmlonly
@retval seL4_RangeError The  @xmlonly <texttt text=\"_service\"/> @endxmlonly , or <b>not</b>.
@retval unknown Never.";
        let lines = lines(comment, &|name| name.starts_with("seL4_"));
        assert_eq!(
            lines.join("\n"),
            "\
Set the parameters

See `sec:threads` in the manual

# Parameters

* `_service`: The TCB. It must be one.
* `badge` (out): Written if x \\< 3 or a\\[1\\].

# Returns

`seL4_NoError`, or what went wrong:

* [`seL4_RangeError`]: The `_service`, or not.
* `unknown`: Never."
        );
    }

    #[test]
    fn what_the_manual_adds_goes_on_with_the_sentence() {
        let comment = "\
 * @return A structure
 * @xmlonly
 * <docref>as described in <autoref label=\"sec:messageinfo\"/></docref>
 * @endxmlonly";
        assert_eq!(
            lines(comment, &|_| false),
            [
                "# Returns",
                "",
                "A structure as described in `sec:messageinfo` in the manual"
            ]
        );
    }

    #[test]
    fn lists_and_addresses_stay_what_they_are() {
        let comment =
            "The table:\n   - one: 1\n   - two,\n     and more\n\nSee https://sel4.systems.";
        assert_eq!(
            lines(comment, &|_| false),
            [
                "The table:",
                "- one: 1",
                "- two, and more",
                "",
                "See <https://sel4.systems>."
            ]
        );
        assert!(lines("@defgroup Debugging\n@{", &|_| false).is_empty());
        assert_eq!(lines("a ` b", &|_| false), ["a \\` b"]);
    }
}

// SPDX-License-Identifier: BSD-2-Clause

//! Reader for `sel4.api`, whose first lines document the format.

// The build script uses the Rust generator only, the program `sel4-hosted-headers` the C generator only.
#![allow(dead_code)]

pub mod c;
pub mod config;
pub mod rust;

/// Kind of an item of the description.
pub enum Kind {
    Constant(String),
    Type(String),
    Enumeration {
        of: String,
        /// True if members have the enumeration's type in Rust; otherwise they are words.
        own: bool,
        members: Vec<(String, Option<String>)>,
    },
    Structure {
        alias: Option<String>,
        fields: Vec<(String, String)>,
    },
    Bits(Vec<(String, u32)>),
    Union {
        tag_bits: u32,
        tag: String,
        words: usize,
        kinds: Vec<(String, usize, Vec<String>)>,
    },
    Function(Function),
    Invocation(Invocation),
    /// End of a group of labels, with the number of all labels so far.
    Labels {
        type_name: String,
        group: Vec<(String, usize)>,
        count: usize,
    },
}

pub struct Function {
    pub parameters: Vec<(String, String)>,
    pub result: Option<String>,
}

pub struct Invocation {
    pub service: String,
    pub label: String,
    pub parameters: Vec<Parameter>,
}

pub struct Parameter {
    pub name: String,
    pub of: String,
    pub out: bool,
}

pub struct Item {
    pub name: String,
    pub doc: String,
    pub kind: Kind,
}

pub enum Setting {
    Flag(bool),
    Number(u64),
    Text(String),
}

pub struct Api {
    pub items: Vec<Item>,
    /// Capability types.
    pub caps: Vec<String>,
    pub config: Vec<(String, Setting)>,
}

/// Reads the items of `text` whose conditions hold. `holds` returns `None` for an unknown condition.
pub fn read(text: &str, holds: &dyn Fn(&str) -> Option<bool>) -> Result<Api, String> {
    let mut reader = Reader {
        api: Api {
            items: Vec::new(),
            caps: vec!["seL4_CPtr".into()],
            config: Vec::new(),
        },
        open: Open::Nothing,
        doc: String::new(),
        labels: vec![("InvalidInvocation".into(), 0)],
        grouped: 0,
    };
    let mut skipping = false;
    for (index, raw) in text.lines().enumerate() {
        let line = raw.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |message: String| format!("sel4.api:{}: {message}", index + 1);
        let indented = raw.starts_with(' ');
        if let Some(doc) = line.strip_prefix("/// ") {
            reader.doc = doc.into();
            continue;
        }
        let (condition, rest) = match line
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("] "))
        {
            Some((conditions, rest)) => {
                let mut all = true;
                for condition in conditions.split(' ') {
                    all &= holds(condition)
                        .ok_or_else(|| wrong(format!("unknown condition `{condition}`")))?;
                }
                (all, rest)
            }
            None => (true, line),
        };
        if !indented {
            skipping = !condition;
        }
        if condition && !skipping {
            let result = if indented {
                reader.member(rest)
            } else {
                reader.item(rest)
            };
            result.ok_or_else(|| {
                wrong(format!(
                    "cannot read `{rest}`\nhelp: the first lines of sel4.api document the format"
                ))
            })?;
        }
        reader.doc.clear();
    }
    Ok(reader.api)
}

/// Item to which indented lines belong.
enum Open {
    Nothing,
    ConfigValues,
    ConfigFlags(bool),
    Item,
    Interface(String),
}

struct Reader {
    api: Api,
    open: Open,
    doc: String,
    labels: Vec<(String, usize)>,
    /// Number of labels in groups that have ended.
    grouped: usize,
}

impl Reader {
    fn push(&mut self, name: &str, kind: Kind) {
        self.api.items.push(Item {
            name: name.into(),
            doc: self.doc.clone(),
            kind,
        });
    }

    fn item(&mut self, line: &str) -> Option<()> {
        let (keyword, rest) = line.split_once(' ')?;
        let words: Vec<&str> = rest.split_whitespace().collect();
        let name = *words.first()?;
        self.open = Open::Item;
        match (keyword, words.as_slice()) {
            ("config", ["value"]) => self.open = Open::ConfigValues,
            ("config", ["on"]) => self.open = Open::ConfigFlags(true),
            ("config", ["off"]) => self.open = Open::ConfigFlags(false),
            ("const", [_, value]) => self.push(name, Kind::Constant((*value).into())),
            ("type", [_, of]) => self.push(name, Kind::Type((*of).into())),
            ("caps", names) => {
                for name in names {
                    self.api.caps.push((*name).into());
                    self.push(name, Kind::Type("seL4_CPtr".into()));
                }
            }
            ("enum", [_, of, own @ ..]) => self.push(
                name,
                Kind::Enumeration {
                    of: (*of).into(),
                    own: own == ["own"],
                    members: Vec::new(),
                },
            ),
            ("struct", [_, alias @ ..]) => self.push(
                name,
                Kind::Structure {
                    alias: alias.get(1).map(|alias| (*alias).into()),
                    fields: Vec::new(),
                },
            ),
            ("bits", [_]) => self.push(name, Kind::Bits(Vec::new())),
            ("union", [_, tag_bits, tag, words]) => self.push(
                name,
                Kind::Union {
                    tag_bits: tag_bits.parse().ok()?,
                    tag: (*tag).into(),
                    words: words.parse().ok()?,
                    kinds: Vec::new(),
                },
            ),
            ("fn", _) => {
                let (name, rest) = rest.split_once('(')?;
                let (parameters, result) = rest.split_once(')')?;
                let result = result.trim();
                let parameters = pairs(parameters)?;
                let result = (!result.is_empty()).then(|| result.into());
                self.push(name, Kind::Function(Function { parameters, result }));
            }
            ("interface", [of]) => self.open = Open::Interface((*of).into()),
            ("labels", [_, type_name]) => {
                let group = self.labels[self.grouped..].to_vec();
                let count = self.labels.len();
                self.grouped = count;
                let type_name = (*type_name).into();
                self.push(
                    name,
                    Kind::Labels {
                        type_name,
                        group,
                        count,
                    },
                );
            }
            _ => return None,
        }
        Some(())
    }

    fn member(&mut self, line: &str) -> Option<()> {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        match &self.open {
            Open::Nothing => return None,
            Open::ConfigValues => {
                let setting = rest
                    .parse()
                    .map_or_else(|_| Setting::Text(rest.into()), Setting::Number);
                self.api.config.push((first.into(), setting));
            }
            Open::ConfigFlags(on) => {
                let flags = line
                    .split(' ')
                    .map(|name| (name.into(), Setting::Flag(*on)));
                self.api.config.extend(flags);
            }
            Open::Interface(service) => {
                let (label, parameters) = rest.split_once(" (")?;
                let parameters = pairs(parameters.strip_suffix(')')?)?;
                let parameters = parameters
                    .into_iter()
                    .map(|(name, of)| match of.strip_prefix("out ") {
                        Some(of) => Parameter {
                            name,
                            of: of.into(),
                            out: true,
                        },
                        None => {
                            let of = of.strip_prefix("in ").unwrap_or(&of).into();
                            Parameter {
                                name,
                                of,
                                out: false,
                            }
                        }
                    })
                    .collect();
                self.labels.push((label.into(), self.labels.len()));
                let name = format!("{service}_{first}");
                let invocation = Invocation {
                    service: service.clone(),
                    label: label.into(),
                    parameters,
                };
                self.push(&name, Kind::Invocation(invocation));
            }
            Open::Item => match &mut self.api.items.last_mut()?.kind {
                Kind::Enumeration { members, .. } => {
                    let value = rest.strip_prefix("= ").map(Into::into);
                    members.push((first.into(), value));
                }
                Kind::Structure { fields, .. } => fields.push((first.into(), rest.into())),
                Kind::Bits(fields) => fields.push((first.into(), rest.parse().ok()?)),
                Kind::Union { kinds, .. } => {
                    let mut words = rest.split(' ');
                    let number = words.next()?.parse().ok()?;
                    let fields = words
                        .filter(|field| *field != "-")
                        .map(Into::into)
                        .collect();
                    kinds.push((first.into(), number, fields));
                }
                _ => return None,
            },
        }
        Some(())
    }
}

/// Splits `a: A, b: B` into pairs.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    text.split(", ")
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, of) = pair.split_once(": ")?;
            Some((name.into(), of.into()))
        })
        .collect()
}

/// Returns whether a parameter of this type is passed by pointer.
fn is_record(of: &str) -> bool {
    matches!(of, "seL4_UserContext" | "seL4_ARM_SMCContext")
}

/// Encoding of a parameter in the message.
#[derive(Clone, Copy, PartialEq)]
pub enum Way {
    Cap,
    /// Number of bits in a message register that adjacent parameters share.
    Bits(u32),
    Word,
    Rights,
    Registers,
}

impl Api {
    pub fn way(&self, of: &str) -> Way {
        match of {
            "seL4_Bool" => Way::Bits(1),
            "seL4_Uint8" => Way::Bits(8),
            "seL4_Uint16" => Way::Bits(16),
            "seL4_Uint32" => Way::Bits(32),
            "seL4_CapRights_t" => Way::Rights,
            _ if is_record(of) => Way::Registers,
            _ if self.caps.iter().any(|cap| cap == of) => Way::Cap,
            _ => Way::Word,
        }
    }

    pub fn invocations(&self) -> impl Iterator<Item = (&Item, &Invocation)> {
        self.items.iter().filter_map(|item| match &item.kind {
            Kind::Invocation(invocation) => Some((item, invocation)),
            _ => None,
        })
    }
}

impl Invocation {
    /// Returns the results besides the error that are returned by value.
    pub fn results(&self) -> Vec<&Parameter> {
        let result = |parameter: &&Parameter| parameter.out && !is_record(&parameter.of);
        self.parameters.iter().filter(result).collect()
    }

    /// Returns the function's result type.
    pub fn result_type(&self, name: &str) -> String {
        if self.results().is_empty() {
            "seL4_Error".into()
        } else {
            format!("{name}_t")
        }
    }

    /// Returns the function's parameters, with their Rust types.
    pub fn arguments(&self) -> Vec<(String, String)> {
        let mut all = vec![("_service".into(), self.service.clone())];
        for parameter in &self.parameters {
            if is_record(&parameter.of) {
                all.push((parameter.name.clone(), format!("*mut {}", parameter.of)));
            } else if !parameter.out {
                all.push((parameter.name.clone(), parameter.of.clone()));
            }
        }
        all
    }
}

// SPDX-License-Identifier: BSD-2-Clause

//! Types of exports as two compilers have them, compared by their debug information.
//!
//! Neither side is read from source text: rustc and the C compiler each wrote down the sizes, the offsets and the
//! signatures that their code uses.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gimli::{AttributeValue, EndianSlice, LittleEndian, UnitOffset};
use object::{Object, ObjectSection, ObjectSymbol, RelocationKind, RelocationTarget};

type Reader<'a> = EndianSlice<'a, LittleEndian>;
type Entry<'a> = gimli::DebuggingInformationEntry<Reader<'a>>;

/// Sections with debug information of an object, with the relocations applied.
#[derive(Default)]
pub struct Sections(HashMap<String, Vec<u8>>);

impl Sections {
    /// Reads the sections of an object. Returns `None` for one without debug information.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let object = object::File::parse(bytes).ok()?;
        let mut sections = HashMap::new();
        for section in object.sections() {
            let name = section.name().ok()?;
            if !name.starts_with(".debug_") {
                continue;
            }
            let mut data = section.data().ok()?.to_vec();
            for (at, relocation) in section.relocations() {
                let symbol = match relocation.target() {
                    RelocationTarget::Symbol(index) => {
                        object.symbol_by_index(index).ok()?.address()
                    }
                    _ => 0,
                };
                let size = usize::from(relocation.size() / 8);
                let at = usize::try_from(at).ok()?;
                // Others belong to addresses of code, which nobody reads here.
                if relocation.kind() != RelocationKind::Absolute || size == 0 || size > 8 {
                    continue;
                }
                let place = data.get_mut(at..at + size)?;
                let mut word = [0; 8];
                if relocation.has_implicit_addend() {
                    word[..size].copy_from_slice(place);
                }
                let value = u64::from_le_bytes(word)
                    .wrapping_add(symbol)
                    .wrapping_add_signed(relocation.addend());
                place.copy_from_slice(&value.to_le_bytes()[..size]);
            }
            sections.insert(name.to_owned(), data);
        }
        sections
            .contains_key(".debug_info")
            .then_some(Self(sections))
    }

    /// Returns the debug information, or `None` if it is damaged.
    pub fn load(&self) -> Option<Side<'_>> {
        let section = |id: gimli::SectionId| {
            let data = self.0.get(id.name()).map_or(&[][..], |data| data);
            Ok::<_, gimli::Error>(EndianSlice::new(data, LittleEndian))
        };
        let dwarf = gimli::Dwarf::load(section).ok()?;
        let mut units = Vec::new();
        let mut headers = dwarf.units();
        while let Some(header) = headers.next().ok()? {
            units.push(dwarf.unit(header).ok()?);
        }
        Some(Side { dwarf, units })
    }
}

/// Debug information of one compiler.
pub struct Side<'a> {
    dwarf: gimli::Dwarf<Reader<'a>>,
    units: Vec<gimli::Unit<Reader<'a>>>,
}

/// An entry: its unit, and its offset in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node(usize, usize);

/// Kinds of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Void,
    Number,
    Pointer,
    Enumeration,
    Composite,
    Array,
    Function,
    Other,
}

/// Kinds of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Bool,
    Float,
    Signed,
    Unsigned,
    Character,
}

impl<'a> Side<'a> {
    fn entry(&self, node: Node) -> Option<Entry<'a>> {
        self.units[node.0].entry(UnitOffset(node.1)).ok()
    }

    fn reference(&self, unit: usize, value: AttributeValue<Reader<'a>>) -> Option<Node> {
        match value {
            AttributeValue::UnitRef(offset) => Some(Node(unit, offset.0)),
            AttributeValue::DebugInfoRef(offset) => {
                let mut units = self.units.iter().enumerate();
                units.find_map(|(index, unit)| {
                    Some(Node(index, offset.to_unit_offset(&unit.header)?.0))
                })
            }
            _ => None,
        }
    }

    fn link(&self, node: Node, attribute: gimli::DwAt) -> Option<Node> {
        self.reference(node.0, self.entry(node)?.attr_value(attribute)?)
    }

    fn text(&self, node: Node, attribute: gimli::DwAt) -> Option<String> {
        let value = self.entry(node)?.attr_value(attribute)?;
        let text = self.dwarf.attr_string(&self.units[node.0], value).ok()?;
        Some(text.to_string_lossy().into_owned())
    }

    fn number(&self, node: Node, attribute: gimli::DwAt) -> Option<i128> {
        let entry = self.entry(node)?;
        let value = entry.attr(attribute)?;
        let unsigned = || value.udata_value().map(i128::from);
        match value.value() {
            AttributeValue::Sdata(value) => Some(value.into()),
            _ => unsigned().or_else(|| value.sdata_value().map(i128::from)),
        }
    }

    fn is_named(&self, node: Node, name: &str) -> bool {
        self.text(node, gimli::DW_AT_name).as_deref() == Some(name)
    }

    fn is(&self, node: Node, tag: gimli::DwTag) -> bool {
        self.entry(node).is_some_and(|entry| entry.tag() == tag)
    }

    fn children(&self, node: Node) -> Vec<Node> {
        let mut found = Vec::new();
        let Ok(mut tree) = self.units[node.0].entries_tree(Some(UnitOffset(node.1))) else {
            return found;
        };
        let Ok(root) = tree.root() else {
            return found;
        };
        let mut children = root.children();
        while let Ok(Some(child)) = children.next() {
            found.push(Node(node.0, child.entry().offset().0));
        }
        found
    }

    fn tagged(&self, node: Node, tag: gimli::DwTag) -> Vec<Node> {
        let mut children = self.children(node);
        children.retain(|child| self.is(*child, tag));
        children
    }

    /// Returns all entries with one of the tags.
    fn all(&self, tags: &[gimli::DwTag]) -> Vec<Node> {
        let mut found = Vec::new();
        for (index, unit) in self.units.iter().enumerate() {
            let mut entries = unit.entries();
            while let Ok(Some(entry)) = entries.next_dfs() {
                if tags.contains(&entry.tag()) {
                    found.push(Node(index, entry.offset().0));
                }
            }
        }
        found
    }

    /// Returns whether types are described, which `debuginfo = 1` leaves out.
    pub fn has_types(&self) -> bool {
        !self.all(&[gimli::DW_TAG_base_type]).is_empty()
    }

    /// Returns the definitions of functions and variables, by symbol.
    fn definitions(&self, symbols: &BTreeSet<String>) -> BTreeMap<String, Node> {
        let mut found = BTreeMap::new();
        for node in self.all(&[gimli::DW_TAG_subprogram, gimli::DW_TAG_variable]) {
            // A method is declared in its type.
            let named = self.link(node, gimli::DW_AT_specification).unwrap_or(node);
            let name = self.text(named, gimli::DW_AT_linkage_name);
            let name = name.or_else(|| self.text(named, gimli::DW_AT_name));
            let external = self
                .entry(named)
                .is_some_and(|entry| entry.attr(gimli::DW_AT_external).is_some());
            if let Some(name) = name
                && external
                && symbols.contains(&name)
                && self
                    .entry(node)
                    .is_some_and(|entry| entry.attr(gimli::DW_AT_declaration).is_none())
            {
                found.insert(name, node);
            }
        }
        found
    }

    /// Returns the type of an entry, by the declaration of a method if need be. `None` is C's `void`.
    fn of(&self, node: Node) -> Option<Node> {
        let own = self.link(node, gimli::DW_AT_type);
        own.or_else(|| {
            self.link(
                self.link(node, gimli::DW_AT_specification)?,
                gimli::DW_AT_type,
            )
        })
    }

    /// Follows aliases and qualifiers.
    fn plain(&self, node: Option<Node>) -> Option<Node> {
        let mut node = node?;
        while let Some(
            gimli::DW_TAG_typedef
            | gimli::DW_TAG_const_type
            | gimli::DW_TAG_volatile_type
            | gimli::DW_TAG_restrict_type
            | gimli::DW_TAG_atomic_type,
        ) = self.entry(node).map(|entry| entry.tag())
        {
            node = self.link(node, gimli::DW_AT_type)?;
        }
        Some(node)
    }

    fn kind(&self, node: Option<Node>) -> Kind {
        let Some(node) = node else {
            return Kind::Void;
        };
        match self.entry(node).map(|entry| entry.tag()) {
            Some(gimli::DW_TAG_base_type) if self.size(node) == Some(0) => Kind::Void,
            Some(gimli::DW_TAG_base_type) => Kind::Number,
            Some(gimli::DW_TAG_pointer_type | gimli::DW_TAG_reference_type) => Kind::Pointer,
            Some(gimli::DW_TAG_enumeration_type) => Kind::Enumeration,
            Some(
                gimli::DW_TAG_structure_type | gimli::DW_TAG_union_type | gimli::DW_TAG_class_type,
            ) => Kind::Composite,
            Some(gimli::DW_TAG_array_type) => Kind::Array,
            Some(gimli::DW_TAG_subroutine_type) => Kind::Function,
            Some(gimli::DW_TAG_unspecified_type) => Kind::Void,
            _ => Kind::Other,
        }
    }

    fn size(&self, node: Node) -> Option<i128> {
        let node = self.plain(Some(node))?;
        match self.kind_of_plain(node) {
            Kind::Pointer => Some(self.units[node.0].encoding().address_size.into()),
            Kind::Array => {
                Some(self.length(node)? * self.size(self.link(node, gimli::DW_AT_type)?)?)
            }
            _ => self.number(node, gimli::DW_AT_byte_size),
        }
    }

    /// Returns the kind without asking for a size.
    fn kind_of_plain(&self, node: Node) -> Kind {
        match self.entry(node).map(|entry| entry.tag()) {
            Some(gimli::DW_TAG_pointer_type | gimli::DW_TAG_reference_type) => Kind::Pointer,
            Some(gimli::DW_TAG_array_type) => Kind::Array,
            _ => Kind::Other,
        }
    }

    /// Returns the number of elements of an array of all dimensions.
    fn length(&self, array: Node) -> Option<i128> {
        let ranges = self.tagged(array, gimli::DW_TAG_subrange_type);
        let lengths = ranges.iter().map(|range| {
            let bound = || Some(self.number(*range, gimli::DW_AT_upper_bound)? + 1);
            self.number(*range, gimli::DW_AT_count).or_else(bound)
        });
        lengths.product()
    }

    /// Returns the type of the elements of an array, of which C counts all dimensions at once.
    fn element(&self, array: Node) -> Option<Node> {
        let mut element = self.plain(self.link(array, gimli::DW_AT_type))?;
        while self.kind(Some(element)) == Kind::Array {
            element = self.plain(self.link(element, gimli::DW_AT_type))?;
        }
        Some(element)
    }

    fn encoding(&self, node: Node) -> Option<Encoding> {
        let code = self.entry(node)?.attr_value(gimli::DW_AT_encoding)?;
        let AttributeValue::Encoding(code) = code else {
            return None;
        };
        Some(match code {
            gimli::DW_ATE_boolean => Encoding::Bool,
            gimli::DW_ATE_float => Encoding::Float,
            gimli::DW_ATE_signed => Encoding::Signed,
            gimli::DW_ATE_unsigned => Encoding::Unsigned,
            _ => Encoding::Character,
        })
    }

    /// Returns the fields that have bytes, in their order: name, offset and type.
    fn fields(&self, node: Node) -> Vec<(String, i128, Option<Node>)> {
        let members = self.tagged(node, gimli::DW_TAG_member).into_iter();
        let fields = members.map(|member| {
            let offset = self.number(member, gimli::DW_AT_data_member_location);
            let name = self.text(member, gimli::DW_AT_name).unwrap_or_default();
            (
                name,
                offset.unwrap_or(0),
                self.link(member, gimli::DW_AT_type),
            )
        });
        let mut fields: Vec<_> = fields
            .filter(|(_, _, ty)| ty.and_then(|ty| self.size(ty)) != Some(0))
            .collect();
        fields.sort_by_key(|(_, offset, _)| *offset);
        fields
    }

    /// Returns whether only the name of a type is known.
    fn is_incomplete(&self, node: Node) -> bool {
        self.entry(node)
            .is_some_and(|entry| entry.attr(gimli::DW_AT_declaration).is_some())
    }

    fn has_variants(&self, node: Node) -> bool {
        !self.tagged(node, gimli::DW_TAG_variant_part).is_empty()
    }

    /// Returns the only part of a Rust type that is as large as the whole: of a wrapper, or of an `Option` without a tag.
    fn inner(&self, node: Node) -> Option<Node> {
        let size = self.size(node)?;
        let whole = |node: Node| match &*self.fields(node) {
            [(_, 0, Some(ty))] if self.size(*ty) == Some(size) => Some(*ty),
            _ => None,
        };
        let Some(part) = self
            .tagged(node, gimli::DW_TAG_variant_part)
            .first()
            .copied()
        else {
            return whole(node);
        };
        let variants = self.tagged(part, gimli::DW_TAG_variant);
        let mut inner = variants
            .iter()
            .flat_map(|variant| self.tagged(*variant, gimli::DW_TAG_member))
            .filter_map(|member| whole(self.link(member, gimli::DW_AT_type)?));
        inner.next().filter(|_| inner.next().is_none())
    }

    fn enumerators(&self, node: Node) -> Vec<i128> {
        let all = self.tagged(node, gimli::DW_TAG_enumerator);
        let values = all
            .iter()
            .filter_map(|value| self.number(*value, gimli::DW_AT_const_value));
        values.collect()
    }

    /// Returns the enumeration called `name`.
    fn enumeration(&self, name: &str) -> Option<Node> {
        let all = self.all(&[gimli::DW_TAG_enumeration_type]);
        all.into_iter()
            .find(|node| self.text(*node, gimli::DW_AT_name).as_deref() == Some(name))
    }

    /// Returns the words for a type in a message.
    fn describe(&self, node: Option<Node>) -> String {
        let Some(node) = node else {
            return "`void`".to_owned();
        };
        let name = self.text(node, gimli::DW_AT_name).unwrap_or_default();
        let kind = match self.kind(Some(node)) {
            Kind::Pointer => "a pointer",
            Kind::Array => "an array",
            Kind::Function => "a function",
            Kind::Void => "nothing",
            _ => "a type",
        };
        let size = self
            .size(node)
            .map(|size| format!(" of {size} bytes"))
            .unwrap_or_default();
        if name.is_empty() {
            format!("{kind}{size}")
        } else {
            format!("`{name}`{size}")
        }
    }
}

/// Alignment that Rust gives to a composite, under its name in C: `struct Pair`.
pub type Alignments = BTreeMap<String, i128>;

/// Prefix of the variables in C that point to the exports.
pub const PROBE: &str = "sel4_rust_probe_";

/// Compares the exports `symbols` of a Rust object with those in C, where a variable with the prefix [`PROBE`] points to
/// each.
///
/// # Errors
///
/// The symbol of the first export that differs, and how.
pub fn compare(
    rust: &Side<'_>,
    c: &Side<'_>,
    symbols: &BTreeSet<String>,
) -> Result<Alignments, (String, String)> {
    if !rust.has_types() {
        return Ok(Alignments::new());
    }
    let probes = symbols
        .iter()
        .map(|name| format!("{PROBE}{name}"))
        .collect();
    let probes = c.definitions(&probes);
    let mut comparison = Comparison {
        rust,
        c,
        seen: BTreeSet::new(),
        alignments: BTreeMap::new(),
    };
    for (symbol, export) in rust.definitions(symbols) {
        let Some(pointer) = probes.get(&format!("{PROBE}{symbol}")) else {
            continue;
        };
        let target = c
            .plain(c.of(*pointer))
            .and_then(|pointer| c.link(pointer, gimli::DW_AT_type));
        let compared = match rust.is(export, gimli::DW_TAG_subprogram) {
            true => comparison.signature(export, c.plain(target)),
            false => comparison.ty(rust.of(export), target, "its value"),
        };
        compared.map_err(|difference| (symbol, difference))?;
    }
    Ok(comparison.alignments)
}

struct Comparison<'s, 'r, 'c> {
    rust: &'s Side<'r>,
    c: &'s Side<'c>,
    seen: BTreeSet<(Option<Node>, Option<Node>)>,
    alignments: Alignments,
}

impl Comparison<'_, '_, '_> {
    /// Compares a Rust function or function type with a function type of C.
    fn signature(&mut self, rust: Node, c: Option<Node>) -> Result<(), String> {
        let Some(c) = c else {
            return Ok(());
        };
        let types = |side: &Side<'_>, node| {
            let parameters = side.tagged(node, gimli::DW_TAG_formal_parameter);
            let types = parameters.into_iter().map(|parameter| side.of(parameter));
            types.collect::<Vec<_>>()
        };
        let (mut in_rust, in_c) = (types(self.rust, rust), types(self.c, c));
        if in_rust.len() != in_c.len() {
            // Nothing is passed for a type without bytes.
            in_rust.retain(|ty| ty.and_then(|ty| self.rust.size(ty)) != Some(0));
        }
        if in_rust.len() != in_c.len() {
            return Err(format!(
                "it has {} parameters in Rust and {} in C",
                in_rust.len(),
                in_c.len()
            ));
        }
        for (index, (rust, c)) in in_rust.into_iter().zip(in_c).enumerate() {
            self.ty(rust, c, &format!("parameter {}", index + 1))?;
        }
        self.ty(self.rust.of(rust), self.c.of(c), "its result")
    }

    fn ty(&mut self, rust: Option<Node>, c: Option<Node>, place: &str) -> Result<(), String> {
        let (rust, c) = (self.rust.plain(rust), self.c.plain(c));
        if !self.seen.insert((rust, c)) {
            return Ok(());
        }
        let differ = |this: &Self| {
            let (rust, c) = (this.rust.describe(rust), this.c.describe(c));
            Err(format!("{place} is {rust} in Rust and {c} in C"))
        };
        let (Some(r), Some(k)) = (rust, c) else {
            // A type without bytes in Rust is C's `void`.
            let nothing = |side: &Side<'_>, node: Option<Node>| {
                node.is_none_or(|node| side.size(node) == Some(0))
            };
            return match nothing(self.rust, rust) && nothing(self.c, c) {
                true => Ok(()),
                false => differ(self),
            };
        };
        if self.c.is_incomplete(k) {
            return Ok(());
        }
        let kinds = (self.rust.kind(rust), self.c.kind(c));
        let sizes = (self.rust.size(r), self.c.size(k));
        match kinds {
            (Kind::Pointer, Kind::Pointer) => {
                let (rust, c) = (
                    self.rust.link(r, gimli::DW_AT_type),
                    self.c.link(k, gimli::DW_AT_type),
                );
                self.target(rust, c, place)
            }
            (Kind::Array, Kind::Array) => {
                if sizes.0 != sizes.1 {
                    return differ(self);
                }
                let (mut rust, c) = (self.rust.element(r), self.c.element(k));
                // C counts the dimensions of a transparent type of Rust's as well.
                while self.c.kind(c) != Kind::Composite
                    && self.rust.kind(rust) == Kind::Composite
                    && let Some(inner) = rust.and_then(|rust| self.rust.inner(rust))
                {
                    rust = match self.rust.kind(Some(inner)) {
                        Kind::Array => self.rust.element(inner),
                        _ => Some(inner),
                    };
                }
                self.ty(rust, c, &format!("an element of {place}"))
            }
            (Kind::Function, Kind::Function) => self.signature(r, c),
            (Kind::Composite, Kind::Composite) => {
                self.composite(r, k, place)?;
                if sizes.0 == sizes.1 {
                    Ok(())
                } else {
                    differ(self)
                }
            }
            _ if sizes.0 != sizes.1 && sizes.1.is_some() => differ(self),
            (Kind::Number, Kind::Number) => {
                let (rust, c) = (self.rust.encoding(r), self.c.encoding(k));
                let free = [rust, c].contains(&Some(Encoding::Character));
                if rust == c || free {
                    Ok(())
                } else {
                    differ(self)
                }
            }
            (Kind::Enumeration, Kind::Enumeration) => self.values(r, k, place),
            (Kind::Enumeration, Kind::Number) => {
                // The type has its width by an alias, and its values stand apart.
                let name = self.rust.text(r, gimli::DW_AT_name).unwrap_or_default();
                match self.c.enumeration(&name) {
                    Some(values) => self.values(r, values, place),
                    None => Ok(()),
                }
            }
            (Kind::Number, Kind::Enumeration) => Ok(()),
            (Kind::Composite, _) => match self.rust.inner(r) {
                // Rust keeps its truth value as a number.
                Some(_)
                    if self.c.encoding(k) == Some(Encoding::Bool)
                        && ["AtomicBool", "Atomic<bool>"]
                            .iter()
                            .any(|name| self.rust.is_named(r, name)) =>
                {
                    Ok(())
                }
                Some(inner) => self.ty(Some(inner), c, place),
                None => differ(self),
            },
            (Kind::Other, _) | (_, Kind::Other) => Ok(()),
            _ => differ(self),
        }
    }

    /// Compares types behind pointers, which C may not know.
    fn target(&mut self, rust: Option<Node>, c: Option<Node>, place: &str) -> Result<(), String> {
        let plain = self.c.plain(c);
        let Some(known) = plain.filter(|_| self.rust.plain(rust).is_some()) else {
            return Ok(());
        };
        let empty = rust.is_some_and(|rust| self.rust.size(rust) == Some(0));
        if self.c.is_incomplete(known) || empty {
            return Ok(());
        }
        self.ty(rust, c, &format!("the target of {place}"))
    }

    fn values(&self, rust: Node, c: Node, place: &str) -> Result<(), String> {
        let bits = self.rust.size(rust).unwrap_or(16) * 8;
        // One compiler may write a value with its sign, the other without.
        let low = |values: Vec<i128>| -> BTreeSet<i128> {
            values
                .into_iter()
                .map(|value| value & ((1_i128 << bits) - 1))
                .collect()
        };
        let (in_rust, in_c) = (low(self.rust.enumerators(rust)), low(self.c.enumerators(c)));
        if in_rust.is_subset(&in_c) {
            return Ok(());
        }
        let name = self.rust.text(rust, gimli::DW_AT_name).unwrap_or_default();
        Err(format!(
            "the enum `{name}` of {place} has the values {in_rust:?} in Rust and {in_c:?} in C"
        ))
    }

    fn composite(&mut self, rust: Node, c: Node, place: &str) -> Result<(), String> {
        let name = self.rust.text(rust, gimli::DW_AT_name).unwrap_or_default();
        if let Some(of_c) = self.c.text(c, gimli::DW_AT_name)
            && let Some(alignment) = self.rust.number(rust, gimli::DW_AT_alignment)
        {
            let word = if self.c.is(c, gimli::DW_TAG_union_type) {
                "union"
            } else {
                "struct"
            };
            self.alignments.insert(format!("{word} {of_c}"), alignment);
        }
        if self.rust.has_variants(rust) {
            return match self.rust.inner(rust) {
                Some(inner) => self.ty(Some(inner), Some(c), place),
                None => Ok(()),
            };
        }
        let (mut in_rust, in_c) = (self.rust.fields(rust), self.c.fields(c));
        // bindgen writes out padding, and collects bit-fields of C in a field of bytes; the size is compared.
        in_rust.retain(|(name, ..)| !name.starts_with("__bindgen_padding_"));
        if in_rust
            .iter()
            .any(|(name, ..)| name.starts_with("_bitfield_"))
        {
            return Ok(());
        }
        let is_union = |side: &Side<'_>, node| side.is(node, gimli::DW_TAG_union_type);
        if in_rust.len() != in_c.len() || is_union(self.rust, rust) != is_union(self.c, c) {
            // A transparent type has the name of what it holds, or holds it.
            return match (self.rust.inner(rust), self.c.inner(c)) {
                (Some(inner), _) => self.ty(Some(inner), Some(c), place),
                (None, Some(inner)) => self.ty(Some(rust), Some(inner), place),
                (None, None) => Err(format!(
                    "`{name}`, {place}, has {} fields in Rust and {} in C",
                    in_rust.len(),
                    in_c.len()
                )),
            };
        }
        for ((field, at, rust), (_, at_in_c, c)) in in_rust.into_iter().zip(in_c) {
            if at != at_in_c {
                return Err(format!(
                    "the field `{field}` of `{name}` is at byte {at} in Rust and at byte {at_in_c} in C"
                ));
            }
            self.ty(rust, c, &format!("the field `{field}` of `{name}`"))?;
        }
        Ok(())
    }
}

/// Value of a variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number, a truth value or a character.
    Integer(i128),
    /// The bits of a double, which has the value.
    Float(u64),
}

impl Number {
    /// Returns whether the values are the same, or both are no numbers.
    pub fn is_same(self, other: Self) -> bool {
        let is_nan = |value| matches!(value, Self::Float(bits) if f64::from_bits(bits).is_nan());
        self == other || is_nan(self) && is_nan(other)
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Float(bits) => f64::from_bits(*bits).fmt(f),
        }
    }
}

/// Returns the values of the variables with the prefix [`PROBE`] in an object that are numbers, by name without the prefix.
pub fn variables(side: &Side<'_>, object: &[u8]) -> BTreeMap<String, Number> {
    let Ok(object) = object::File::parse(object) else {
        return BTreeMap::new();
    };
    let symbols = object
        .symbols()
        .filter_map(|symbol| Some((symbol.name().ok()?, symbol)));
    let symbols: HashMap<&str, _> = symbols
        .filter(|(name, _)| name.starts_with(PROBE))
        .collect();
    let names = symbols.keys().map(|name| (*name).to_owned()).collect();
    let value = |name: &str, variable: Node| {
        let ty = side.plain(side.of(variable))?;
        let (size, encoding) = (usize::try_from(side.size(ty)?).ok()?, side.encoding(ty)?);
        let symbol = symbols.get(name)?;
        let section = object.section_by_index(symbol.section_index()?).ok()?;
        // Zeroes have no bytes in the file.
        let data = section
            .data_range(symbol.address(), size as u64)
            .ok()
            .flatten()
            .unwrap_or_default();
        let mut word = [0; 16];
        word.get_mut(..data.len())?.copy_from_slice(data);
        let raw = u128::from_le_bytes(word);
        Some(match encoding {
            Encoding::Float if size == 4 => {
                Number::Float(f64::from(f32::from_bits(raw as u32)).to_bits())
            }
            Encoding::Float if size == 8 => Number::Float(raw as u64),
            Encoding::Float => return None,
            Encoding::Signed => {
                let unused = 128 - 8 * u32::try_from(size).ok()?;
                Number::Integer((raw << unused) as i128 >> unused)
            }
            _ => Number::Integer(raw as i128),
        })
    };
    let all = side.definitions(&names).into_iter();
    all.filter_map(|(name, variable)| {
        Some((name[PROBE.len()..].to_owned(), value(&name, variable)?))
    })
    .collect()
}

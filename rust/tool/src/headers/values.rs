// SPDX-License-Identifier: BSD-2-Clause

//! Values of constant expressions, computed as Rust does.

use std::cell::Cell;
use std::collections::BTreeMap;

use syn::ext::IdentExt;
use syn::{BinOp, Expr, Item, Lit, Type, UnOp};

use super::names::{Found, Id, Names, Space};
use crate::objects::types::Number;

/// Types of numbers that constants have. C has all of them.
pub const NUMBERS: [&str; 14] = [
    "bool", "char", "f32", "f64", "i16", "i32", "i64", "i8", "isize", "u16", "u32", "u64", "u8",
    "usize",
];

/// A value, and its type if the expression says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    pub number: i128,
    pub kind: Option<&'static str>,
}

/// Place of an expression.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    pub module: usize,
    /// Type that `Self` stands for.
    pub own: Option<Id>,
}

/// The evaluator.
pub struct Values<'a> {
    pub names: &'a Names<'a>,
    /// `impl` blocks of each type.
    pub impls: &'a BTreeMap<Id, Vec<Id>>,
    /// Values that the compiler gave.
    pub asked: &'a BTreeMap<Id, Number>,
    /// Bits of a pointer.
    pub pointer: u32,
    /// Constants that are being computed.
    pub depth: Cell<u32>,
}

impl Values<'_> {
    /// Returns the number of bits of an integer type, and whether it has a sign.
    fn bits(&self, kind: &str) -> Option<(u32, bool)> {
        Some(match kind {
            "bool" => (1, false),
            "char" => (32, false),
            "usize" => (self.pointer, false),
            "isize" => (self.pointer, true),
            _ => {
                let bits = kind.get(1..)?.parse().ok().filter(|bits| *bits <= 64)?;
                match kind.as_bytes()[0] {
                    b'u' => (bits, false),
                    b'i' => (bits, true),
                    _ => return None,
                }
            }
        })
    }

    fn wrap(&self, number: i128, kind: &str) -> Option<i128> {
        let (bits, signed) = self.bits(kind)?;
        let low = number & ((1 << bits) - 1);
        Some(if signed && low >> (bits - 1) != 0 {
            low - (1 << bits)
        } else {
            low
        })
    }

    fn checked(&self, number: i128, kind: Option<&'static str>) -> Option<Value> {
        let fits = kind.is_none_or(|kind| self.wrap(number, kind) == Some(number));
        fits.then_some(Value { number, kind })
    }

    /// Returns the name of the number type that `ty` stands for.
    pub fn kind(&self, ty: &Type, module: usize) -> Option<&'static str> {
        let Type::Path(path) = ty else {
            return None;
        };
        let path = segments(&path.path);
        match self.names.resolve(module, &path, Space::Types) {
            Found::Items(ids) => match (&*ids, self.names.get(*ids.first()?)) {
                ([id], Item::Type(alias)) => {
                    self.nested(|| self.kind(&alias.ty, self.names.module(*id)))
                }
                _ => None,
            },
            Found::Module(_) => None,
            Found::Foreign(_) | Found::Unknown => match &**path.last()? {
                "c_int" => Some("i32"),
                "c_uint" => Some("u32"),
                "c_short" => Some("i16"),
                "c_ushort" => Some("u16"),
                "c_longlong" => Some("i64"),
                "c_ulonglong" => Some("u64"),
                "c_long" => Some("isize"),
                "c_ulong" | "size_t" => Some("usize"),
                name => NUMBERS.into_iter().find(|known| *known == name),
            },
        }
    }

    fn nested<T>(&self, work: impl FnOnce() -> Option<T>) -> Option<T> {
        if self.depth.get() > 40 {
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        let result = work();
        self.depth.set(self.depth.get() - 1);
        result
    }

    /// Computes an integer, `bool` or `char`. `expected` is the type that the place of the expression asks for.
    pub fn of(&self, expr: &Expr, scope: Scope, expected: Option<&'static str>) -> Option<Value> {
        match expr {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Int(int) => {
                    let kind = NUMBERS.into_iter().find(|known| *known == int.suffix());
                    self.checked(int.base10_parse().ok()?, kind.or(expected))
                }
                Lit::Bool(value) => self.checked(value.value.into(), Some("bool")),
                Lit::Byte(value) => self.checked(value.value().into(), Some("u8")),
                Lit::Char(value) => self.checked(u32::from(value.value()).into(), Some("char")),
                _ => None,
            },
            Expr::Paren(inner) => self.of(&inner.expr, scope, expected),
            Expr::Group(inner) => self.of(&inner.expr, scope, expected),
            Expr::Block(block) => match &*block.block.stmts {
                [syn::Stmt::Expr(inner, None)] => self.of(inner, scope, expected),
                _ => None,
            },
            Expr::Unary(unary) => {
                let value = self.of(&unary.expr, scope, expected);
                match unary.op {
                    UnOp::Neg(_) => {
                        // The smallest number has no positive counterpart.
                        let value = value.or_else(|| self.of(&unary.expr, scope, None))?;
                        self.checked(-value.number, value.kind.or(expected))
                    }
                    UnOp::Not(_) => {
                        let value = value?;
                        let kind = value.kind.unwrap_or("i32");
                        let number = self.wrap(!value.number, kind)?;
                        self.checked(number, Some(kind))
                    }
                    _ => None,
                }
            }
            Expr::Binary(binary) => self.binary(binary, scope, expected),
            Expr::Cast(cast) => {
                let kind = self.kind(&cast.ty, scope.module)?;
                let value = self.of(&cast.expr, scope, None)?;
                self.checked(self.wrap(value.number, kind)?, Some(kind))
            }
            Expr::MethodCall(call) if call.method == "bits" && call.args.is_empty() => {
                self.of(&call.receiver, scope, expected)
            }
            Expr::Field(field) => match &field.member {
                syn::Member::Named(name) if name == "bits" => self.of(&field.base, scope, expected),
                _ => None,
            },
            Expr::Call(call) => self.size(call, scope),
            Expr::Path(path) => match &path.qself {
                None => self.path(&segments(&path.path), scope),
                // A trait's constant, which the `impl` blocks have under its name.
                Some(own) => {
                    let Type::Path(ty) = &*own.ty else {
                        return None;
                    };
                    let ty = segments(&ty.path).into_iter();
                    let name = segments(&path.path).pop();
                    self.path(&ty.chain(name).collect::<Vec<_>>(), scope)
                }
            },
            _ => None,
        }
    }

    fn binary(
        &self,
        binary: &syn::ExprBinary,
        scope: Scope,
        expected: Option<&'static str>,
    ) -> Option<Value> {
        let shifts = matches!(binary.op, BinOp::Shl(_) | BinOp::Shr(_));
        let left = self.of(&binary.left, scope, expected)?;
        let right_wants = if shifts { None } else { left.kind.or(expected) };
        let right = self.of(&binary.right, scope, right_wants)?;
        let kind = if shifts {
            left.kind
        } else {
            left.kind.or(right.kind)
        };
        let (a, b) = (left.number, right.number);
        let bits = self.bits(kind.unwrap_or("i32"))?.0;
        let distance = u32::try_from(b).ok().filter(|distance| *distance < bits);
        let number = match binary.op {
            BinOp::Add(_) => a.checked_add(b)?,
            BinOp::Sub(_) => a.checked_sub(b)?,
            BinOp::Mul(_) => a.checked_mul(b)?,
            BinOp::Div(_) => a.checked_div(b)?,
            BinOp::Rem(_) => a.checked_rem(b)?,
            BinOp::BitAnd(_) => a & b,
            BinOp::BitOr(_) => a | b,
            BinOp::BitXor(_) => a ^ b,
            BinOp::Shl(_) => self.wrap(a << distance?, kind.unwrap_or("i32"))?,
            BinOp::Shr(_) => a >> distance?,
            _ => return None,
        };
        self.checked(number, kind)
    }

    /// Computes `size_of::<T>()` and `align_of::<T>()` for what has the same answer on every target of this width.
    fn size(&self, call: &syn::ExprCall, scope: Scope) -> Option<Value> {
        let Expr::Path(path) = &*call.func else {
            return None;
        };
        let last = path.path.segments.last()?;
        let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
            return None;
        };
        let syn::GenericArgument::Type(ty) = arguments.args.first()? else {
            return None;
        };
        let align = match &*last.ident.to_string() {
            "size_of" => false,
            "align_of" => true,
            _ => return None,
        };
        let bytes = match ty {
            Type::Ptr(_) | Type::Reference(_) | Type::BareFn(_) => i128::from(self.pointer / 8),
            Type::Array(array) if !align => {
                let element = self.kind(&array.elem, scope.module)?;
                let length = self.of(&array.len, scope, Some("usize"))?.number;
                length.checked_mul(self.bytes(element)?)?
            }
            ty => {
                let kind = self.kind(ty, scope.module)?;
                // ia32 aligns 64-bit numbers to 4 bytes.
                self.bytes(kind)
                    .filter(|bytes| !align || *bytes <= i128::from(self.pointer / 8))?
            }
        };
        self.checked(bytes, Some("usize"))
    }

    fn bytes(&self, kind: &str) -> Option<i128> {
        match kind {
            "bool" => Some(1),
            "f32" => Some(4),
            "f64" => Some(8),
            _ => self.bits(kind).map(|(bits, _)| i128::from(bits / 8)),
        }
    }

    fn path(&self, path: &[String], scope: Scope) -> Option<Value> {
        if let Found::Items(ids) = self.names.resolve(scope.module, path, Space::Values)
            && let [id] = *ids
        {
            let Item::Const(item) = self.names.get(id) else {
                return None;
            };
            let scope = Scope {
                module: self.names.module(id),
                own: None,
            };
            let kind = self.kind(&item.ty, scope.module)?;
            if let Some(Number::Integer(number)) = self.asked.get(&id) {
                return self.checked(*number, Some(kind));
            }
            return self.nested(|| self.of(&item.expr, scope, Some(kind)));
        }
        let (name, before) = path.split_last()?;
        if let [ty] = before
            && let Some(kind) = NUMBERS.into_iter().find(|known| known == ty)
            && let Some((bits, signed)) = self.bits(kind)
        {
            return match &**name {
                "MAX" => self.checked((1 << (bits - u32::from(signed))) - 1, Some(kind)),
                "MIN" if signed => self.checked(-(1 << (bits - 1)), Some(kind)),
                "MIN" => self.checked(0, Some(kind)),
                "BITS" => self.checked(bits.into(), Some("u32")),
                _ => None,
            };
        }
        let id = match (before, scope.own) {
            ([own], Some(id)) if own == "Self" => id,
            ([], _) => return None,
            _ => match self.names.resolve(scope.module, before, Space::Types) {
                Found::Items(ids) if ids.len() == 1 => ids[0],
                _ => return None,
            },
        };
        self.associated(id, name)
    }

    /// Computes a variant or an associated constant of a type.
    fn associated(&self, id: Id, name: &str) -> Option<Value> {
        if let Item::Enum(item) = self.names.get(id)
            && item
                .variants
                .iter()
                .any(|variant| variant.ident.unraw() == name)
        {
            let scope = Scope {
                module: self.names.module(id),
                own: Some(id),
            };
            let mut next = 0;
            for variant in &item.variants {
                if let Some((_, value)) = &variant.discriminant {
                    next = self.nested(|| self.of(value, scope, None))?.number;
                }
                if variant.ident.unraw() == name {
                    return Some(Value {
                        number: next,
                        kind: None,
                    });
                }
                next += 1;
            }
        }
        for block in self.impls.get(&id).into_iter().flatten() {
            let Item::Impl(item) = self.names.get(*block) else {
                continue;
            };
            for constant in &item.items {
                if let syn::ImplItem::Const(constant) = constant
                    && constant.ident.unraw() == name
                {
                    let scope = Scope {
                        module: self.names.module(*block),
                        own: Some(id),
                    };
                    let kind = self.kind(&constant.ty, scope.module)?;
                    return self.nested(|| self.of(&constant.expr, scope, Some(kind)));
                }
            }
        }
        None
    }
}

/// Returns the names in a path, with an empty one first if it begins with `::`.
pub fn segments(path: &syn::Path) -> Vec<String> {
    let start = path.leading_colon.map(|_| String::new());
    let names = path
        .segments
        .iter()
        .map(|segment| segment.ident.unraw().to_string());
    start.into_iter().chain(names).collect()
}

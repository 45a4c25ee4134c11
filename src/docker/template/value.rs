//! Template values: JSON, with its Go type in Docker's client.
//!
//! The type determines how JSON is treated. `null` prints as `[]` for a list, `map[]` for a map,
//! `<nil>` for a pointer, and `<no value>` without a type. A missing key is an error in a struct,
//! and the zero value for `index` of a map. The types are in [`crate::docker::schema`].

use serde_json::Value as Json;

/// The Go type of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Type {
    /// `any`: determined by the JSON.
    Any,
    /// `string`
    Text,
    /// `bool`
    Bool,
    /// Any of the integers.
    Int,
    /// `time.Time`; its JSON is RFC 3339.
    Time,
    /// `[]T`
    List(&'static Type),
    /// `map[string]T`
    Map(&'static Type),
    /// A map with a key type of its own, `nat.Port`, which strings cannot index.
    Keyed(&'static Type),
    /// `*T`
    Pointer(&'static Type),
    /// `struct`
    Struct(&'static [Field]),
}

/// A field of a struct, including those of embedded structs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// The name in templates: `ID`.
    pub name: &'static str,
    /// The key in JSON: `Id`.
    pub key: &'static str,
    /// The type.
    pub kind: Type,
}

/// JSON with its type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Value {
    pub(super) data: Json,
    pub(super) kind: Type,
}

impl<T: Into<Json>> From<T> for Value {
    fn from(data: T) -> Self {
        Self { data: data.into(), kind: Type::Any }
    }
}

impl Value {
    pub(super) const NONE: Self = Self { data: Json::Null, kind: Type::Any };

    /// Creates the value of a field or an element. A missing scalar has its zero value.
    pub(super) fn new(data: Option<&Json>, kind: Type) -> Self {
        let data = match (data, kind) {
            (None | Some(Json::Null), Type::Text) => "".into(),
            (None | Some(Json::Null), Type::Bool) => false.into(),
            (None | Some(Json::Null), Type::Int) => 0.into(),
            (None | Some(Json::Null), Type::Time) => crate::docker::time::ZERO.into(),
            (None | Some(Json::Null), Type::Struct(_)) => Json::Object(serde_json::Map::new()),
            (data, _) => data.cloned().unwrap_or(Json::Null),
        };
        Self { data, kind }.fitting()
    }

    /// Dereferences pointers, and drops the type if the JSON does not match it: images contain
    /// whatever their builder wrote.
    fn fitting(self) -> Self {
        let fits = match (self.kind, &self.data) {
            (Type::Any | Type::Pointer(_), _) => true,
            (Type::Text | Type::Time, data) => data.is_string(),
            (Type::Bool, data) => data.is_boolean(),
            (Type::Int, data) => data.is_number(),
            (Type::List(_), data) => data.is_array() || data.is_null(),
            (Type::Map(_) | Type::Keyed(_), data) => data.is_object() || data.is_null(),
            (Type::Struct(_), data) => data.is_object(),
        };
        match self.kind {
            Type::Pointer(inner) if !self.data.is_null() => Self::new(Some(&self.data), *inner),
            kind => Self { kind: if fits { kind } else { Type::Any }, data: self.data },
        }
    }

    /// Returns a field; with `is_strict`, a missing map key is an error.
    pub(super) fn field(&self, name: &str, is_strict: bool) -> Result<Self, String> {
        match (self.kind, &self.data) {
            (Type::Struct(fields), data) => match fields.iter().find(|field| field.name == name) {
                Some(field) => Ok(Self::new(data.get(field.key), field.kind)),
                None => Err(format!("can't evaluate field {name}")),
            },
            (Type::Map(kind), data) => Ok(data.get(name).map_or(Self::NONE, |it| Self::new(Some(it), *kind))),
            (Type::Pointer(_), _) => Err(format!("nil pointer evaluating field {name}")),
            (Type::Any, Json::Object(known)) => match known.get(name) {
                Some(found) => Ok(found.clone().into()),
                None if is_strict => Err(format!("map has no entry for key {name:?}")),
                None => Ok(Self::NONE),
            },
            (Type::Any, Json::Null) if is_strict => Err(format!("nil data; no entry for key {name:?}")),
            (Type::Any, Json::Null) => Ok(Self::NONE),
            _ => Err(format!("can't evaluate field {name} in {}", super::print::value(self))),
        }
    }

    /// Implements `index value key`.
    pub(super) fn at(&self, key: &Json) -> Result<Self, String> {
        match (self.kind, &self.data, key) {
            (Type::Map(kind), data, Json::String(key)) => Ok(Self::new(data.get(key), *kind)),
            (Type::Any, Json::Object(known), Json::String(key)) => {
                Ok(known.get(key).map_or(Self::NONE, |found| found.clone().into()))
            }
            (Type::List(_) | Type::Any, Json::Array(_), Json::Number(number)) => {
                let at = number.as_u64().and_then(|at| usize::try_from(at).ok());
                let item = at.and_then(|at| self.data.get(at));
                item.map(|item| Self::new(Some(item), self.of_items()))
                    .ok_or_else(|| format!("index out of range: {key}"))
            }
            (Type::List(_), Json::Null, Json::Number(_)) => Err(format!("index out of range: {key}")),
            (_, Json::Null, _) => Err("index of untyped nil".to_owned()),
            _ => Err(format!("cannot index with {key}")),
        }
    }

    /// Returns the element type of a list or a map.
    pub(super) fn of_items(&self) -> Type {
        match self.kind {
            Type::List(kind) | Type::Map(kind) | Type::Keyed(kind) => *kind,
            _ => Type::Any,
        }
    }

    /// Returns the truth value as in Go: false for zero values and empty ones.
    pub(super) fn is_true(&self) -> bool {
        match &self.data {
            Json::Null => false,
            Json::Bool(yes) => *yes,
            Json::Number(number) => number.as_f64() != Some(0.0),
            Json::String(text) => !text.is_empty(),
            Json::Array(items) => !items.is_empty(),
            Json::Object(fields) => matches!(self.kind, Type::Struct(_)) || !fields.is_empty(),
        }
    }
}

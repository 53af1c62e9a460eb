//! Left and right sides: fields, transformers, lists, constants.

use std::borrow::Cow;

use eyas_field::{Compare, Cx, FieldRef, Flag, Key, Scope, Value};

use crate::constant::{Constant, constant};
use crate::ir::{EvalError, MAX_DEPTH, Place};
use crate::names::Names;
use crate::op::transform;

/// A transformer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Lower,
    Upper,
    Base64,
    Basename,
    Len,
    Join,
    Concat,
    Getopt,
}

/// Something that has a value.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Field(FieldRef),
    /// A field of a log source, by its number.
    Slot {
        slot: usize,
        list: bool,
    },
    Call {
        call: Call,
        args: Vec<Operand>,
        arg: Option<String>,
    },
    List(Vec<Operand>),
    Value(Constant),
}

/// Reads an operand.
pub(crate) fn operand(place: &Place<'_>, names: &mut Names) -> Result<Operand, EvalError> {
    if place.depth() > MAX_DEPTH {
        return place.refuse("nested too deep");
    }
    if let Some(list) = place.get("list") {
        place.object(&["list"])?;
        return Ok(Operand::List(operands(&list, names)?));
    }
    if let Some(value) = place.get("value") {
        place.object(&["value"])?;
        return Ok(Operand::Value(constant(&value)?));
    }
    if let Some(name) = place.get("call") {
        place.object(&["call", "args", "arg"])?;
        let call = match name.text()? {
            "tolower" => Call::Lower,
            "toupper" => Call::Upper,
            "b64" => Call::Base64,
            "basename" => Call::Basename,
            "len" => Call::Len,
            "join" => Call::Join,
            "concat" => Call::Concat,
            "getopt" => Call::Getopt,
            other => return name.refuse(format!("unknown transformer {other:?}")),
        };
        let args = operands(&place.expect("args")?, names)?;
        let wanted = match call {
            Call::Join | Call::Getopt => args.len() == 2,
            Call::Concat => args.len() >= 2,
            _ => args.len() == 1,
        };
        if !wanted {
            return place.refuse(format!("wrong number of arguments: {}", args.len()));
        }
        let arg = place.get("arg").map(|a| a.text().map(str::to_owned)).transpose()?;
        return Ok(Operand::Call { call, args, arg });
    }
    place.object(&["field", "arg"])?;
    let name = place.expect("field")?;
    let key = match place.get("arg") {
        None => None,
        Some(arg) => match (arg.value.as_u64(), arg.value.as_str()) {
            (Some(n), _) => Some(Key::Index(n)),
            (_, Some(text)) => Some(Key::Name(text.to_owned())),
            _ => return arg.refuse("expected a text or a number"),
        },
    };
    names.operand(&name, key)
}

fn operands(place: &Place<'_>, names: &mut Names) -> Result<Vec<Operand>, EvalError> {
    (0..place.array()?.len()).map(|n| operand(&place.item(n), names)).collect()
}

impl Operand {
    /// The value on this event, if there is one.
    pub(crate) fn get<'a>(&self, cx: &Cx<'a>) -> Option<Value<'a>> {
        match self {
            Operand::Field(field) => field.get(cx),
            Operand::Slot { slot, .. } => cx.record?.value(*slot).cloned(),
            Operand::Value(constant) => Some(constant.value()),
            Operand::List(items) => {
                Some(Value::List(items.iter().map(|i| i.get(cx)).collect::<Option<_>>()?))
            }
            Operand::Call { call, args, arg } => {
                let values = args.iter().map(|a| a.get(cx)).collect::<Option<Vec<_>>>()?;
                transform::apply(*call, values, arg.as_deref())
            }
        }
    }

    /// How its values are compared.
    pub(crate) fn compare(&self) -> Compare {
        match self {
            Operand::Field(field) => field.compare(),
            _ => Compare::Plain,
        }
    }

    /// How long its value holds.
    pub(crate) fn scope(&self) -> Option<Scope> {
        match self {
            Operand::Field(field) => Some(field.scope()),
            Operand::Slot { .. } => Some(Scope::Event),
            Operand::Value(_) => None,
            Operand::List(items) => join(items.iter().filter_map(Operand::scope)),
            Operand::Call { args, .. } => join(args.iter().filter_map(Operand::scope)),
        }
    }

    /// Text and JSON of the value, as alerts show it.
    pub(crate) fn render(&self, cx: &Cx<'_>) -> (String, serde_json::Value) {
        let value = self.get(cx);
        let field = match self {
            Operand::Field(field) => Some(field),
            _ => None,
        };
        eyas_field::render(value.as_ref(), field, cx)
    }

    /// Whether values are lists in the sense of `in`.
    pub(crate) fn is_list(&self) -> bool {
        match self {
            Operand::Field(field) => field.field.list,
            Operand::Slot { list, .. } => *list,
            Operand::List(_) => true,
            Operand::Call { call: Call::Getopt, arg, .. } => arg.is_none(),
            Operand::Call {
                call: Call::Lower | Call::Upper | Call::Basename | Call::Base64, args, ..
            } => args[0].is_list(),
            _ => false,
        }
    }

    /// Whether the field may be shown.
    pub(crate) fn is_shown(&self) -> bool {
        !matches!(self, Operand::Field(field) if field.field.has(Flag::FilterOnly))
    }
}

/// The scope of something that depends on all of these.
pub(crate) fn join(scopes: impl Iterator<Item = Scope>) -> Option<Scope> {
    scopes.reduce(|a, b| match (a, b) {
        _ if a == b => a,
        (Scope::Process | Scope::Lineage, Scope::Process | Scope::Lineage) => Scope::Lineage,
        (Scope::Name | Scope::File, Scope::Name | Scope::File) => Scope::File,
        _ => Scope::Event,
    })
}

/// Bytes of a text or buffer.
pub(crate) fn bytes<'v>(value: &'v Value<'_>) -> Option<&'v [u8]> {
    match value {
        Value::Text(b) | Value::Bytes(b) => Some(b),
        _ => None,
    }
}

/// A text value of its own bytes.
pub(crate) fn text<'a>(bytes: Vec<u8>) -> Value<'a> {
    Value::Text(Cow::Owned(bytes))
}

//! What the names of fields mean: those of the kernel, or those of one log source.

use eyas_field::{Key, resolve};
use eyas_record::{Argument, Ask};

use crate::ir::{EvalError, Place};
use crate::operand::Operand;

/// The fields that conditions can name.
#[derive(Debug, Default)]
pub(crate) enum Names {
    /// Those of the kernel's events.
    #[default]
    Kernel,
    /// Those of a source, and those that mean something everywhere.
    Source(Box<Ask>),
}

impl Names {
    /// The operand that a name with its argument stands for.
    pub(crate) fn operand(&mut self, name: &Place<'_>, key: Option<Key>) -> Result<Operand, EvalError> {
        let text = name.text()?;
        if let Names::Source(ask) = self
            && ask.has(text)
        {
            return match ask.field(text, key.and_then(argument)) {
                Ok((slot, list)) => Ok(Operand::Slot { slot, list }),
                Err(error) => name.refuse(error.to_string()),
            };
        }
        match resolve(text, key) {
            Ok(found) if matches!(self, Names::Source(_)) && !found.field.everywhere => {
                name.refuse(format!("field {text} means nothing to this source"))
            }
            Ok(found) => Ok(Operand::Field(found)),
            Err(error) => name.refuse(error.to_string()),
        }
    }
}

fn argument(key: Key) -> Option<Argument> {
    match key {
        Key::Index(number) => Some(Argument::Index(number)),
        Key::Name(name) => Some(Argument::Key(name)),
        _ => None,
    }
}

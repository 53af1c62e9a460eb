//! Pointers into JSON: those of RFC 6901, with `*` for each element and `*[key=text]` for each that has it.

/// Steps that a pointer may have.
const MAX_STEPS: usize = 64;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// A key of an object; of a list, the element of that number.
    Key(Box<str>),
    /// Each element of a list.
    Each,
    /// Each element of a list that has this text under that key.
    Where(Box<str>, Box<str>),
}

/// A pointer that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PointerError;

/// Reads a pointer; the first slash may be missing.
pub(crate) fn parse(pointer: &str) -> Result<Vec<Step>, PointerError> {
    let Some(steps) = pointer.strip_prefix('/').or((!pointer.is_empty()).then_some(pointer)) else {
        return Ok(Vec::new());
    };
    let steps: Vec<Step> = steps.split('/').map(step).collect();
    if steps.len() > MAX_STEPS { Err(PointerError) } else { Ok(steps) }
}

/// Reads a pointer in which `*` means nothing.
pub(crate) fn parse_plain(pointer: &str) -> Result<Vec<Step>, PointerError> {
    let steps = parse(pointer)?;
    Ok(steps.into_iter().map(plain).collect())
}

fn plain(step: Step) -> Step {
    match step {
        Step::Key(key) => Step::Key(key),
        Step::Each => Step::Key("*".into()),
        Step::Where(key, text) => Step::Key(format!("*[{key}={text}]").into()),
    }
}

fn step(text: &str) -> Step {
    if text == "*" {
        return Step::Each;
    }
    if let Some((key, value)) =
        text.strip_prefix("*[").and_then(|t| t.strip_suffix(']')).and_then(|t| t.split_once('='))
    {
        return Step::Where(unescaped(key).into(), unescaped(value).into());
    }
    Step::Key(unescaped(text).into())
}

fn unescaped(text: &str) -> String {
    text.replace("~1", "/").replace("~0", "~")
}

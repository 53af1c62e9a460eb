//! Records of services: JSON is read once, and what the rules ask for is found on the way.
//!
//! A `Schema` (data, made by a source) says what the fields of a source are; rules `ask` it for fields and get slots. A
//! `Reader` cuts a stream into records. For each record one walk along the `Tree` of wanted pointers notes where their
//! values stand; a slot turns into a value when a rule looks at it, once for all rules.

mod clock;
mod cursor;
mod expr;
mod looked;
mod maker;
mod pointer;
mod reader;
mod schema;
mod text;
mod tree;

#[cfg(test)]
mod tests;

pub use cursor::Fault;
pub use looked::{Cells, Looked};
pub use reader::{Item, Reader, Refused};
pub use schema::{Argument, Ask, Asked, Schema, SchemaError};

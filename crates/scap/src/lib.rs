//! Captures on disk: reading every age of them, converting old events, and writing current ones.

mod block;
mod convert;
mod cursor;
mod error;
mod input;
mod metadata;
mod reader;
mod writer;

pub use error::ScapError;
pub use reader::{Item, Memory, Reader, Warning};
pub use writer::{Compression, Writer};

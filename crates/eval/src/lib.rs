//! Whether a rule holds: IR in, a shared graph of predicates, rule numbers out.

mod constant;
mod dispatch;
mod explain;
mod files;
mod graph;
mod ir;
mod layout;
mod memory;
mod naive;
mod names;
mod op;
mod operand;
mod ordered;
mod predicate;
mod program;
mod run;
mod special;
mod values;
mod whole;

pub use ir::EvalError;
pub use memory::Memory;
pub use program::Program;

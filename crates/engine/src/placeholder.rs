//! Stands in for the evaluator until it is there: accepts a program and holds nothing.

use eyas_field::Cx;

/// Rules.
#[derive(Debug, Default)]
pub struct Program;

/// Memory of the rules.
#[derive(Debug, Default)]
pub struct Memory;

/// Why a program is refused.
#[derive(Debug, thiserror::Error)]
#[error("refused")]
pub struct Refusal;

#[allow(missing_docs, clippy::unused_self)]
impl Program {
    pub fn from_json(_ir: &[u8]) -> Result<Program, Refusal> {
        Ok(Program)
    }
    pub fn memory(&self) -> Memory {
        Memory
    }
    pub fn judge(&self, _memory: &mut Memory, _cx: &Cx<'_>, _out: &mut Vec<u32>) {}
    pub fn outputs(&self, _rule: u32, _cx: &Cx<'_>) -> Vec<(String, serde_json::Value)> {
        Vec::new()
    }
    pub fn explain(&self, _rule: u32, _cx: &Cx<'_>) -> serde_json::Value {
        serde_json::Value::Null
    }
}

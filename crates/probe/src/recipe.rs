//! What the kernel side does for one system call: tests, then steps that each append a blob (`bpf/record.h`).

use crate::test::{TEST_SIZE, TESTS};

/// Stands for the result where a register argument is named.
pub(crate) const RETURNED: u8 = 6;

/// Size of `struct recipe`.
pub(crate) const RECIPE_SIZE: usize = 8 + 4 * STEPS + TEST_SIZE * TESTS;
const STEPS: usize = 6;

/// One step of a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    op: u8,
    arg: u8,
    len: u16,
}

const fn step(op: u8, arg: u8, len: u16) -> Step {
    Step { op, arg, len }
}

/// String at an argument.
pub(crate) const fn text(arg: u8) -> Step {
    step(1, arg, 0)
}

/// A fixed number of bytes at an argument.
pub(crate) const fn bytes(arg: u8, len: u16) -> Step {
    step(2, arg, len)
}

/// Bytes at an argument, as many as another says.
pub(crate) const fn sized(arg: u8, len: u16) -> Step {
    step(3, arg, len)
}

/// Bytes at an argument, as many as the word says that another points to.
pub(crate) const fn sized_at(arg: u8, len: u16) -> Step {
    step(4, arg, len)
}

/// Start of the buffer at an argument; the next argument is its size.
pub(crate) const fn data(arg: u8) -> Step {
    step(5, arg, 0)
}

/// Start of the buffers of an iovec; the next argument is their number.
pub(crate) const fn vector(arg: u8) -> Step {
    step(6, arg, 0)
}

/// Address in a message head.
pub(crate) const fn message(arg: u8) -> Step {
    step(7, arg, 0)
}

/// Start of the data of a message.
pub(crate) const fn message_data(arg: u8) -> Step {
    step(8, arg, 0)
}

/// Start of the data of the first of many messages.
pub(crate) const fn first_data(arg: u8) -> Step {
    step(8, arg, 1)
}

/// Control data of a message.
pub(crate) const fn message_control(arg: u8) -> Step {
    step(9, arg, 0)
}

/// Device, inode and layer of a descriptor's file.
pub(crate) const fn file(arg: u8) -> Step {
    step(10, arg, 0)
}

/// Path of a descriptor's file.
pub(crate) const fn path(arg: u8) -> Step {
    step(11, arg, 0)
}

/// Both ends of a socket.
pub(crate) const fn tuple(arg: u8) -> Step {
    step(12, arg, 0)
}

/// Queue of a listening socket.
pub(crate) const fn queue(arg: u8) -> Step {
    step(13, arg, 0)
}

/// Two descriptors at an argument, with what is behind them.
pub(crate) const fn pair(arg: u8) -> Step {
    step(14, arg, 0)
}

/// The caller.
pub(crate) const PROCESS: Step = step(15, 0, 0);

/// Strings of an array at an argument.
pub(crate) const fn strings(arg: u8) -> Step {
    step(16, arg, 0)
}

/// Arguments of the caller.
pub(crate) const ARGUMENTS: Step = step(17, 0, 0);
/// Cgroups of the caller.
pub(crate) const CGROUPS: Step = step(19, 0, 0);
/// Path of the caller's program.
pub(crate) const PROGRAM: Step = step(20, 0, 0);

/// Descriptors that are waited for; the next argument is their number.
pub(crate) const fn polled(arg: u8) -> Step {
    step(21, arg, 0)
}

/// Folder from which a name is looked up: that of the descriptor at an argument, or the caller's.
pub(crate) const fn base(dir: Option<u8>) -> Step {
    match dir {
        Some(arg) => step(22, arg, 0),
        None => step(22, 0, 1),
    }
}

/// Descriptors that a call makes or forgets (`enum makes`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Makes {
    Nothing,
    Result,
    Pair,
    ForgetsAll,
    /// No descriptors, but an event for each message.
    Messages,
}

/// `struct recipe` of a call that is wanted.
pub(crate) fn recipe(
    class: u8,
    makes: Makes,
    steps: &[Step],
    tests: &[[u8; TEST_SIZE]],
) -> [u8; RECIPE_SIZE] {
    let mut out = [0; RECIPE_SIZE];
    let (steps, tests) = (&steps[..steps.len().min(STEPS)], &tests[..tests.len().min(TESTS)]);
    out[..5].copy_from_slice(&[1, class, steps.len() as u8, tests.len() as u8, makes as u8]);
    for (i, step) in steps.iter().enumerate() {
        let at = 8 + 4 * i;
        out[at..at + 2].copy_from_slice(&[step.op, step.arg]);
        out[at + 2..at + 4].copy_from_slice(&step.len.to_ne_bytes());
    }
    for (i, test) in tests.iter().enumerate() {
        let at = 8 + 4 * STEPS + TEST_SIZE * i;
        out[at..at + TEST_SIZE].copy_from_slice(test);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_is_laid_out_as_the_kernel_side_reads_it() {
        let bytes = recipe(2, Makes::Result, &[text(1), file(RETURNED)], &[[7; TEST_SIZE]]);
        assert_eq!(bytes[..16], [1, 2, 2, 1, 1, 0, 0, 0, 1, 1, 0, 0, 10, 6, 0, 0]);
        assert_eq!(bytes[32..49], [[7; TEST_SIZE].as_slice(), &[0]].concat());
        assert_eq!(RECIPE_SIZE, 160);
    }
}

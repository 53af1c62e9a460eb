//! Whether the kernel interrupts its own work for another task. Where it does, a program at a function may be entered
//! while it runs, and the kernel leaves the second call out without a word; programs at tracepoints are never entered
//! so.

use std::fs;

use crate::ProbeError;

const MODE: &str = "/sys/kernel/debug/sched/preempt";

/// Refuses where the kernel may interrupt itself, or does not tell.
pub(crate) fn expect_none() -> Result<(), ProbeError> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let config = format!("/boot/config-{}", read("/proc/sys/kernel/osrelease").trim());
    if cooperates(&read("/proc/sys/kernel/version"), &read(MODE), &read("/proc/cmdline"), &read(&config)) {
        return Ok(());
    }
    Err(ProbeError::Refused(
        "programs at functions: the kernel may interrupt its own work, or does not tell (preemption)"
            .to_owned(),
    ))
}

/// By its version, the mode it is in, its command line, and what it was built with.
fn cooperates(version: &str, mode: &str, command: &str, config: &str) -> bool {
    let calm = |mode: &str| matches!(mode, "none" | "voluntary");
    if !version.contains("PREEMPT") {
        return true;
    }
    if !version.contains("PREEMPT_DYNAMIC") {
        return false;
    }
    let now = mode.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(now, _)| now);
    let asked = command.split_whitespace().rev().find_map(|word| word.strip_prefix("preempt="));
    let built =
        config.lines().any(|line| matches!(line, "CONFIG_PREEMPT_NONE=y" | "CONFIG_PREEMPT_VOLUNTARY=y"));
    now.or(asked).map_or(built, calm)
}

#[cfg(test)]
mod tests {
    use super::cooperates;

    #[test]
    fn a_kernel_that_may_interrupt_itself_or_does_not_tell_is_told_apart() {
        let dynamic = "#1 SMP PREEMPT_DYNAMIC Debian 6.12.1";
        assert!(cooperates("#1 SMP Debian 5.10.1", "", "", ""));
        assert!(!cooperates("#1 SMP PREEMPT_RT Debian 6.1.1", "", "", ""));
        assert!(cooperates(dynamic, "none (voluntary) full", "preempt=full", ""));
        assert!(!cooperates(dynamic, "none voluntary (full)", "", "CONFIG_PREEMPT_VOLUNTARY=y"));
        assert!(!cooperates(dynamic, "", "quiet preempt=full", "CONFIG_PREEMPT_VOLUNTARY=y"));
        assert!(cooperates(dynamic, "", "quiet", "CONFIG_X=y\nCONFIG_PREEMPT_VOLUNTARY=y"));
        assert!(!cooperates(dynamic, "", "quiet", ""));
    }
}

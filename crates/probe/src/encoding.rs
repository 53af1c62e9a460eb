//! Kernel values of flags and enumerations as the event table writes them.

/// How one kind of value is written.
#[derive(Debug)]
pub(crate) enum Encoding {
    /// Each kernel bit sets bits of ours.
    Bits { base: u32, map: &'static [(u64, u64)] },
    /// Each kernel value has one of ours.
    Enum { default: u32, map: &'static [(u64, u64)] },
}

impl Encoding {
    /// Our value of a kernel value.
    pub(crate) fn apply(&self, value: u64) -> u64 {
        match self {
            Encoding::Bits { base, map } => map
                .iter()
                .filter(|(kernel, _)| value & kernel != 0)
                .fold(u64::from(*base), |all, (_, ours)| all | ours),
            Encoding::Enum { default, map } => {
                map.iter().find(|(kernel, _)| *kernel == value).map_or(u64::from(*default), |(_, ours)| *ours)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::generated::{CAPABILITIES, CLONE_FLAGS, FCNTL_CMD};

    #[test]
    fn bits_and_values_are_mapped() {
        assert_eq!(CLONE_FLAGS.apply(0x100 | 0x2000_0000), 0x8000 | 64);
        assert_eq!(FCNTL_CMD.apply(1030), 26);
        assert_eq!(FCNTL_CMD.apply(999), 0);
        assert_eq!(CAPABILITIES.apply(u64::MAX), (1 << 41) - 1);
    }
}

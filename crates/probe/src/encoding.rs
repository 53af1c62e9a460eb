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

    /// Every kernel value of one of ours; none when values that are not in the table have it too.
    pub(crate) fn sources(&self, ours: u64) -> Option<Vec<u64>> {
        let Encoding::Enum { default, map } = self else { return None };
        let found = map.iter().filter(|(_, value)| *value == ours).map(|(kernel, _)| *kernel);
        (u64::from(*default) != ours).then(|| found.collect())
    }

    /// The kernel bits that set any of ours; none when ours are set whatever the kernel's are.
    pub(crate) fn source_bits(&self, ours: u64) -> Option<u64> {
        let Encoding::Bits { base, map } = self else { return None };
        let found = map.iter().filter(|(_, bits)| bits & ours != 0).fold(0, |all, (kernel, _)| all | kernel);
        (u64::from(*base) & ours == 0).then_some(found)
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
        assert_eq!(FCNTL_CMD.sources(26), Some(vec![1030]));
        assert_eq!(FCNTL_CMD.sources(0), None);
        assert_eq!(CLONE_FLAGS.source_bits(64), Some(0x2000_0000));
        assert_eq!(CAPABILITIES.apply(u64::MAX), (1 << 41) - 1);
    }
}

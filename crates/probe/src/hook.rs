//! An empty program at the exit of every system call: the price of the hook alone.

use libbpf_rs::{Link, Object, ObjectBuilder};

use crate::ProbeError;

static OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/empty.bpf.o"));

/// The hook while it is attached.
pub struct Hook {
    _links: Vec<Link>,
    _object: Object,
}

impl Hook {
    /// Attaches it.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn empty() -> Result<Hook, ProbeError> {
        let refused = |e: libbpf_rs::Error| ProbeError::Refused(format!("{e:#}"));
        let object = ObjectBuilder::default()
            .open_memory(OBJECT)
            .and_then(libbpf_rs::OpenObject::load)
            .map_err(refused)?;
        let links: Result<Vec<Link>, _> = object.progs_mut().map(|program| program.attach()).collect();
        Ok(Hook { _links: links.map_err(refused)?, _object: object })
    }
}

//! Capabilities of the calling thread: https://man7.org/linux/man-pages/man7/capabilities.7.html.

use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

use crate::HardenError;

/// Gives up all capabilities but some, by their names without `CAP_`; gives the names of those that are left. With
/// `children`, programs that are started keep no more either.
///
/// # Errors
/// When there is no such capability or the kernel refuses.
pub fn keep(names: &[String], children: bool) -> Result<Vec<String>, HardenError> {
    let mut kept = CapabilitySet::empty();
    for name in names {
        let known = CapabilitySet::from_name(name);
        kept |= known.ok_or_else(|| HardenError::Capability(name.clone()))?;
    }
    let refused =
        |error: rustix::io::Errno| HardenError::Refused { what: "capabilities", error: error.into() };
    let now = capabilities(None).map_err(refused)?;
    // Dropping from the bounding set needs a capability that is about to go. Where it is not there, who started this
    // process has bounded it.
    if children && now.permitted.contains(CapabilitySet::SETPCAP) {
        for one in CapabilitySet::all().difference(kept).iter() {
            if capability_is_in_bounding_set(one).unwrap_or(false) {
                remove_capability_from_bounding_set(one).map_err(refused)?;
            }
        }
    }
    clear_ambient_capability_set().map_err(refused)?;
    let left = now.permitted & kept;
    let sets = CapabilitySets { effective: left, permitted: left, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets).map_err(refused)?;
    Ok(left.iter_names().map(|(name, _)| name.to_owned()).collect())
}

/// Programs that are started gain no rights by set-user-id bits and the like.
///
/// # Errors
/// When the kernel refuses.
pub fn no_new_rights() -> Result<(), HardenError> {
    let refused = |error: rustix::io::Errno| HardenError::Refused { what: "new rights", error: error.into() };
    set_no_new_privs(true).map_err(refused)
}

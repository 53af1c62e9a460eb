//! Control groups, and container ids out of their paths, engine after engine as the runtimes lay them out.

use std::sync::{Arc, LazyLock};

use memchr::memmem::Finder;

use crate::thread::{List, Text};

/// Characters of a container id that fields show.
const SHORT: usize = 12;
const FULL: usize = 64;

/// Where an id of 64 hexadecimal digits stands, in the order of the engines podman, docker, cri.
const LAYOUTS: [(&[u8], &[u8]); 15] = [
    (b"/libpod-", b".scope"),
    (b"/libpod-", b".scope/container"),
    (b"/libpod-", b""),
    (b"/libpod-payload-", b".scope"),
    (b"/libpod-payload-", b".scope/container"),
    (b"/libpod-payload-", b""),
    (b"/", b""),
    (b"/docker-", b".scope"),
    (b"/", b""),
    (b"/crio-", b""),
    (b"/cri-containerd-", b".scope"),
    (b"/crio-", b".scope"),
    (b":cri-containerd:", b""),
    (b"/docker-", b".scope"),
    (b"/nerdctl-", b".scope"),
];

/// The control groups of a thread; threads in the same ones share them.
#[derive(Clone, Debug, Default)]
pub struct Cgroups(Arc<Groups>);

#[derive(Debug, Default)]
struct Groups {
    /// What they were read from.
    list: Box<[u8]>,
    paths: Box<[(Text, Text)]>,
    container: Text,
}

impl Cgroups {
    /// Reads `subsystem=path` entries with a NUL behind each.
    pub(crate) fn new(list: &[u8]) -> Cgroups {
        let paths: Box<[_]> = List::new(list).iter().filter_map(entry).collect();
        let container = paths.iter().find_map(|(_, path)| container_id(path)).unwrap_or_default().into();
        Cgroups(Arc::new(Groups { list: list.into(), paths, container }))
    }

    /// The same for a thread whose entries may be those it had before.
    pub(crate) fn renew(&mut self, list: &[u8]) {
        if self.0.list.as_ref() != list {
            *self = Cgroups::new(list);
        }
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.0.paths.is_empty()
    }

    /// Subsystems, by the names that fields use, with their paths.
    pub fn iter(&self) -> impl Iterator<Item = &(Text, Text)> {
        self.0.paths.iter()
    }

    /// The container they name; empty on the host.
    pub(crate) fn container(&self) -> &Text {
        &self.0.container
    }
}

fn entry(entry: &[u8]) -> Option<(Text, Text)> {
    let cut = memchr::memchr(b'=', entry)?;
    let name = entry[..cut].strip_suffix(b"_cgroup").unwrap_or(&entry[..cut]);
    let name: &[u8] = match name {
        b"perf" => b"perf_event",
        b"mem" => b"memory",
        b"io" => b"blkio",
        name => name,
    };
    Some((Text::from(name), Text::from(&entry[cut + 1..])))
}

/// The container id in one cgroup path, if it names a container.
fn container_id(path: &[u8]) -> Option<&[u8]> {
    if path == b"/" {
        return None;
    }
    let long = if has_hex_run(path) { hex(path) } else { None };
    long.or_else(|| containerd(path)).or_else(|| lxc(path)).or_else(|| libvirt(path)).or_else(|| bpm(path))
}

fn hex(path: &[u8]) -> Option<&[u8]> {
    LAYOUTS.iter().find_map(|(prefix, suffix)| hex_id(path, prefix, suffix)).map(|id| &id[..SHORT])
}

/// Whether there are so many hexadecimal digits in a row as an id has.
fn has_hex_run(path: &[u8]) -> bool {
    path.len() > FULL && path.split(|b| !b.is_ascii_hexdigit()).any(|run| run.len() >= FULL)
}

fn rfind(path: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::rfind(path, what)
}

fn between<'a>(path: &'a [u8], prefix: &[u8], suffix: &[u8]) -> Option<&'a [u8]> {
    let start = rfind(path, prefix)? + prefix.len();
    let end = if suffix.is_empty() { path.len() } else { rfind(path, suffix)? };
    path.get(start..end)
}

fn hex_id<'a>(path: &'a [u8], prefix: &[u8], suffix: &[u8]) -> Option<&'a [u8]> {
    between(path, prefix, suffix).filter(|id| id.len() == FULL && id.iter().all(u8::is_ascii_hexdigit))
}

fn is_name(part: &[u8]) -> bool {
    part.split(|b| matches!(b, b'.' | b'_' | b'-'))
        .all(|w| !w.is_empty() && w.iter().all(u8::is_ascii_alphanumeric))
}

/// `/NAMESPACE/ID`.
fn containerd(path: &[u8]) -> Option<&[u8]> {
    if [&b".service"[..], b".slice", b".scope"].iter().any(|end| path.ends_with(end)) {
        return None;
    }
    let rest = path.strip_prefix(b"/")?;
    let cut = memchr::memchr(b'/', rest)?;
    let (namespace, id) = (&rest[..cut], &rest[cut + 1..]);
    let fits = is_name(namespace) && (1..=FULL).contains(&id.len()) && !id.contains(&b'/');
    fits.then(|| &id[..id.len().min(SHORT)])
}

fn lxc(path: &[u8]) -> Option<&[u8]> {
    static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("/lxc"));
    MARK.find(path)?;
    let start = [&b"/lxc.payload/"[..], b"/lxc.payload.", b"/lxc/"]
        .iter()
        .find_map(|prefix| memchr::memmem::find(path, prefix).map(|at| at + prefix.len()))?;
    let rest = &path[start..];
    let end = memchr::memchr(b'/', rest).unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

fn libvirt(path: &[u8]) -> Option<&[u8]> {
    static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("lxc"));
    MARK.find(path)?;
    if let Some(rest) = path.strip_suffix(b".libvirt-lxc") {
        return rest.rsplit(|b| *b == b'/').next();
    }
    if let Some(at) = memchr::memmem::find(path, b"-lxc\\x2") {
        let rest = path.strip_suffix(b"/libvirt").unwrap_or(path).strip_suffix(b".scope")?;
        return rest.get(at + 8..);
    }
    between(path, b"/libvirt/lxc/", b"")
}

fn bpm(path: &[u8]) -> Option<&[u8]> {
    static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("bpm-"));
    let start = MARK.find(path)? + 4;
    let id = path.get(start..rfind(path, b".scope")?)?;
    id.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_where_each_runtime_puts_them() {
        let hex = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e";
        for layout in [
            "/docker/{}",
            "/system.slice/docker-{}.scope",
            "/kubepods/besteffort/pod1/{}",
            "/kubepods.slice/cri-containerd-{}.scope",
            "/machine.slice/libpod-{}.scope/container",
            "/kubepods.slice/crio-{}.scope",
            "/system.slice:cri-containerd:{}",
        ] {
            let path = layout.replace("{}", hex);
            assert_eq!(container_id(path.as_bytes()), Some(&b"3ad7b26ded6d"[..]), "{path}");
        }
        assert_eq!(container_id(b"/default/redis"), Some(&b"redis"[..]));
        assert_eq!(container_id(b"/lxc/web/init"), Some(&b"web"[..]));
    }

    #[test]
    fn the_host_has_no_id() {
        for path in [
            "/",
            "/user.slice/user-1000.slice/session-1.scope",
            "/system.slice/cron.service",
            "",
            "/init.scope",
        ] {
            assert_eq!(container_id(path.as_bytes()), None, "{path}");
        }
    }
}

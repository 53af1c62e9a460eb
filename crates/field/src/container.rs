//! Fields about the container of the process, and the pod it belongs to.

use serde_json::{Map, Value as Json};

use crate::field::{Arg, ArgKind, Field, Flag};
use crate::k8smeta;
use crate::value::{flag, owned, text, uint};
use crate::{Cx, Key, Scope, Type, Value};

const HOST: &[u8] = b"host";
/// Label keys that the list of labels leaves out.
const PRIVATE: [&str; 2] = ["annotation.", "io.kubernetes."];

/// The fields of this family.
pub(crate) static FIELDS: &[Field] = &[
    Field {
        name: "container.id",
        about: "First 12 characters of the container id, host outside containers",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        flags: &[Flag::SuggestedOutput],
        get: |cx, _| text(id(cx)?),
        ..Field::NEW
    },
    Field {
        name: "container.full_id",
        about: "Full container id",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| meta_or_host(cx, "full_id"),
        ..Field::NEW
    },
    Field {
        name: "container.name",
        about: "Container name",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        flags: &[Flag::SuggestedOutput],
        get: |cx, _| meta_or_host(cx, "name"),
        ..Field::NEW
    },
    Field {
        name: "container.image",
        about: "Image reference",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| meta(cx, "image"),
        ..Field::NEW
    },
    Field {
        name: "container.image.id",
        about: "Image id",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| meta(cx, "imageid"),
        ..Field::NEW
    },
    Field {
        name: "container.image.repository",
        about: "Image repository part",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        flags: &[Flag::SuggestedOutput],
        get: |cx, _| meta(cx, "imagerepo"),
        ..Field::NEW
    },
    Field {
        name: "container.image.tag",
        about: "Image tag part",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        flags: &[Flag::SuggestedOutput],
        get: |cx, _| meta(cx, "imagetag"),
        ..Field::NEW
    },
    Field {
        name: "container.image.digest",
        about: "Image registry digest",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| meta(cx, "imagedigest"),
        ..Field::NEW
    },
    Field {
        name: "container.ip",
        about: "Primary IPv4 address of the container",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| meta(cx, "ip"),
        ..Field::NEW
    },
    Field {
        name: "container.cni.json",
        about: "CNI result as JSON text",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| meta(cx, "cni_json"),
        ..Field::NEW
    },
    Field {
        name: "container.type",
        about: "Runtime kind (docker, containerd, ...)",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| kind(cx),
        ..Field::NEW
    },
    Field {
        name: "container.privileged",
        about: "Whether the container is privileged",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::Process,
        get: |cx, _| boolean(cx, "privileged"),
        ..Field::NEW
    },
    Field {
        name: "container.host_pid",
        about: "Container shares the host pid namespace",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::Process,
        get: |cx, _| boolean(cx, "host_pid"),
        ..Field::NEW
    },
    Field {
        name: "container.host_network",
        about: "Container shares the host network namespace",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::Process,
        get: |cx, _| boolean(cx, "host_network"),
        ..Field::NEW
    },
    Field {
        name: "container.host_ipc",
        about: "Container shares the host IPC namespace",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::Process,
        get: |cx, _| boolean(cx, "host_ipc"),
        ..Field::NEW
    },
    Field {
        name: "container.mounts",
        about: "All mounts as source:dest:mode:rdwr:propagation text",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| mounts(cx),
        ..Field::NEW
    },
    Field {
        name: "container.mount",
        about: "One mount by index or by source",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        arg: Arg { kind: ArgKind::KeyOrIndex, required: true },
        get: |cx, key| mount(cx, key, None),
        ..Field::NEW
    },
    Field {
        name: "container.mount.source",
        about: "Source of one mount, by index or destination",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        arg: Arg { kind: ArgKind::KeyOrIndex, required: true },
        get: |cx, key| mount(cx, key, Some("Source")),
        ..Field::NEW
    },
    Field {
        name: "container.mount.dest",
        about: "Destination of one mount, by index or source pattern",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        arg: Arg { kind: ArgKind::KeyOrIndex, required: true },
        get: |cx, key| mount(cx, key, Some("Destination")),
        ..Field::NEW
    },
    Field {
        name: "container.mount.mode",
        about: "Mode of one mount, by index or source",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        arg: Arg { kind: ArgKind::KeyOrIndex, required: true },
        get: |cx, key| mount(cx, key, Some("Mode")),
        ..Field::NEW
    },
    Field {
        name: "container.mount.rdwr",
        about: "Write flag of one mount, by index or source",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        arg: Arg { kind: ArgKind::KeyOrIndex, required: true },
        get: |cx, key| mount(cx, key, Some("RW")),
        ..Field::NEW
    },
    Field {
        name: "container.mount.propagation",
        about: "Propagation of one mount, by index or source",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        arg: Arg { kind: ArgKind::KeyOrIndex, required: true },
        get: |cx, key| mount(cx, key, Some("Propagation")),
        ..Field::NEW
    },
    Field {
        name: "container.healthcheck",
        about: "Deprecated, never extracted",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        flags: &[Flag::Deprecated],
        unavailable: Some("runtimes no longer report health probes"),
        get: |cx, _| {
            let _ = cx;
            None
        },
        ..Field::NEW
    },
    Field {
        name: "container.liveness_probe",
        about: "Deprecated, never extracted",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        flags: &[Flag::Deprecated],
        unavailable: Some("runtimes no longer report health probes"),
        get: |cx, _| {
            let _ = cx;
            None
        },
        ..Field::NEW
    },
    Field {
        name: "container.readiness_probe",
        about: "Deprecated, never extracted",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        flags: &[Flag::Deprecated],
        unavailable: Some("runtimes no longer report health probes"),
        get: |cx, _| {
            let _ = cx;
            None
        },
        ..Field::NEW
    },
    Field {
        name: "container.start_ts",
        about: "Container start from pid namespace init time, epoch ns",
        kind: Type::AbsTime,
        declared: "ABSTIME",
        scope: Scope::Process,
        get: |cx, _| start(cx),
        ..Field::NEW
    },
    Field {
        name: "container.duration",
        about: "Nanoseconds since container.start_ts",
        kind: Type::RelTime,
        declared: "RELTIME",
        get: |cx, _| {
            let Some(Value::Uint(start)) = start(cx) else { return None };
            uint(cx.event.ts.saturating_sub(start))
        },
        ..Field::NEW
    },
    Field {
        name: "container.label",
        about: "Container label named in the argument",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        arg: Arg { kind: ArgKind::Key, required: true },
        get: |cx, key| label(cx, key, "labels"),
        ..Field::NEW
    },
    Field {
        name: "container.labels",
        about: "All container labels as k:v text",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| labels(cx),
        ..Field::NEW
    },
    Field {
        name: "proc.is_container_healthcheck",
        about: "Deprecated, never true",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::Process,
        flags: &[Flag::Deprecated],
        get: |cx, _| flag(cx.thread()?.category == 2),
        ..Field::NEW
    },
    Field {
        name: "proc.is_container_liveness_probe",
        about: "Deprecated, never true",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::Process,
        flags: &[Flag::Deprecated],
        get: |cx, _| flag(cx.thread()?.category == 3),
        ..Field::NEW
    },
    Field {
        name: "proc.is_container_readiness_probe",
        about: "Deprecated, never true",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::Process,
        flags: &[Flag::Deprecated],
        get: |cx, _| flag(cx.thread()?.category == 4),
        ..Field::NEW
    },
    Field {
        name: "k8s.pod.name",
        about: "Pod name from runtime labels",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        flags: &[Flag::SuggestedOutput],
        get: |cx, _| pod(cx, "io.kubernetes.pod.name"),
        ..Field::NEW
    },
    Field {
        name: "k8s.ns.name",
        about: "Namespace name from runtime labels",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        flags: &[Flag::SuggestedOutput],
        get: |cx, _| pod(cx, "io.kubernetes.pod.namespace"),
        ..Field::NEW
    },
    Field {
        name: "k8s.pod.id",
        about: "Legacy alias of k8s.pod.uid",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| pod(cx, "io.kubernetes.pod.uid"),
        ..Field::NEW
    },
    Field {
        name: "k8s.pod.uid",
        about: "Pod uid from runtime labels",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| pod(cx, "io.kubernetes.pod.uid"),
        ..Field::NEW
    },
    Field {
        name: "k8s.pod.sandbox_id",
        about: "First 12 characters of the sandbox id",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| sandbox(cx, 12),
        ..Field::NEW
    },
    Field {
        name: "k8s.pod.full_sandbox_id",
        about: "Full sandbox id",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| sandbox(cx, usize::MAX),
        ..Field::NEW
    },
    Field {
        name: "k8s.pod.label",
        about: "Pod label named in the argument",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        arg: Arg { kind: ArgKind::Key, required: true },
        get: |cx, key| label(cx, key, "pod_sandbox_labels"),
        ..Field::NEW
    },
    Field {
        name: "k8s.pod.labels",
        about: "All pod labels as k:v text",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| pod_labels(cx),
        ..Field::NEW
    },
    Field {
        name: "k8s.pod.ip",
        about: "Pod IPv4 address",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| pod_meta(cx, "ip"),
        ..Field::NEW
    },
    Field {
        name: "k8s.pod.cni.json",
        about: "Pod CNI result as JSON text",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| pod_meta(cx, "cni_json"),
        ..Field::NEW
    },
    Field {
        name: "k8s.rc.name",
        about: "Name of the replication controller, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| k8smeta::member(cx, "rc", "name"),
        ..Field::NEW
    },
    Field {
        name: "k8s.rc.id",
        about: "Uid of the replication controller, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| k8smeta::member(cx, "rc", "uid"),
        ..Field::NEW
    },
    Field {
        name: "k8s.rc.label",
        about: "Label, named in the argument, of the replication controller, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        arg: Arg { kind: ArgKind::Key, required: true },
        get: |cx, key| k8smeta::label(cx, "rc", key),
        ..Field::NEW
    },
    Field {
        name: "k8s.rc.labels",
        about: "Labels as k:v of the replication controller, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| k8smeta::labels(cx, "rc"),
        ..Field::NEW
    },
    Field {
        name: "k8s.svc.name",
        about: "Name of the first service of the pod, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| k8smeta::member(cx, "svc", "name"),
        ..Field::NEW
    },
    Field {
        name: "k8s.svc.id",
        about: "Uid of the first service of the pod, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| k8smeta::member(cx, "svc", "uid"),
        ..Field::NEW
    },
    Field {
        name: "k8s.svc.label",
        about: "Label, named in the argument, of the first service of the pod, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        arg: Arg { kind: ArgKind::Key, required: true },
        get: |cx, key| k8smeta::label(cx, "svc", key),
        ..Field::NEW
    },
    Field {
        name: "k8s.svc.labels",
        about: "Labels as k:v of the first service of the pod, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| k8smeta::labels(cx, "svc"),
        ..Field::NEW
    },
    Field {
        name: "k8s.ns.id",
        about: "Uid of the namespace, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| k8smeta::member(cx, "ns", "uid"),
        ..Field::NEW
    },
    Field {
        name: "k8s.ns.label",
        about: "Label, named in the argument, of the namespace, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        arg: Arg { kind: ArgKind::Key, required: true },
        get: |cx, key| k8smeta::label(cx, "ns", key),
        ..Field::NEW
    },
    Field {
        name: "k8s.ns.labels",
        about: "Labels as k:v of the namespace, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| k8smeta::labels(cx, "ns"),
        ..Field::NEW
    },
    Field {
        name: "k8s.rs.name",
        about: "Name of the replica set, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| k8smeta::member(cx, "rs", "name"),
        ..Field::NEW
    },
    Field {
        name: "k8s.rs.id",
        about: "Uid of the replica set, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| k8smeta::member(cx, "rs", "uid"),
        ..Field::NEW
    },
    Field {
        name: "k8s.rs.label",
        about: "Label, named in the argument, of the replica set, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        arg: Arg { kind: ArgKind::Key, required: true },
        get: |cx, key| k8smeta::label(cx, "rs", key),
        ..Field::NEW
    },
    Field {
        name: "k8s.rs.labels",
        about: "Labels as k:v of the replica set, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| k8smeta::labels(cx, "rs"),
        ..Field::NEW
    },
    Field {
        name: "k8s.deployment.name",
        about: "Name of the deployment, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| k8smeta::member(cx, "deployment", "name"),
        ..Field::NEW
    },
    Field {
        name: "k8s.deployment.id",
        about: "Uid of the deployment, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| k8smeta::member(cx, "deployment", "uid"),
        ..Field::NEW
    },
    Field {
        name: "k8s.deployment.label",
        about: "Label, named in the argument, of the deployment, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        arg: Arg { kind: ArgKind::Key, required: true },
        get: |cx, key| k8smeta::label(cx, "deployment", key),
        ..Field::NEW
    },
    Field {
        name: "k8s.deployment.labels",
        about: "Labels as k:v of the deployment, as the Kubernetes API knows it",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| k8smeta::labels(cx, "deployment"),
        ..Field::NEW
    },
];

/// Where the process runs.
enum Place<'a> {
    Host,
    Known(&'a Map<String, Json>),
    Unknown,
}

fn id<'a>(cx: &Cx<'a>) -> Option<&'a [u8]> {
    let id = &cx.thread()?.container_id;
    Some(if id.is_empty() { HOST } else { id })
}

fn place<'a>(cx: &Cx<'a>) -> Option<Place<'a>> {
    let id = &cx.thread()?.container_id;
    if id.is_empty() {
        return Some(Place::Host);
    }
    Some(cx.state.containers.get(id).map_or(Place::Unknown, |c| Place::Known(&c.meta)))
}

fn string<'a>(meta: &'a Map<String, Json>, key: &str) -> &'a str {
    meta.get(key).and_then(Json::as_str).unwrap_or_default()
}

fn meta<'a>(cx: &Cx<'a>, key: &str) -> Option<Value<'a>> {
    match place(cx)? {
        Place::Host => text(b""),
        Place::Known(meta) => text(string(meta, key).as_bytes()),
        Place::Unknown => None,
    }
}

fn meta_or_host<'a>(cx: &Cx<'a>, key: &str) -> Option<Value<'a>> {
    match place(cx)? {
        Place::Host => text(HOST),
        _ => meta(cx, key),
    }
}

fn boolean<'a>(cx: &Cx<'a>, key: &str) -> Option<Value<'a>> {
    match place(cx)? {
        Place::Host => flag(false),
        Place::Known(meta) => flag(meta.get(key).and_then(Json::as_bool).unwrap_or(false)),
        Place::Unknown => None,
    }
}

fn kind<'a>(cx: &Cx<'a>) -> Option<Value<'a>> {
    let Place::Known(meta) = place(cx)? else { return meta_or_host(cx, "type") };
    text(match meta.get("type").and_then(Json::as_u64).unwrap_or(65535) {
        0 => b"docker",
        1 => b"lxc",
        2 => b"libvirt-lxc",
        3 => b"mesos",
        4 => b"rkt",
        6 => b"cri",
        7 => b"containerd",
        8 => b"cri-o",
        9 => b"bpm",
        11 => b"podman",
        _ => b"",
    })
}

fn all_mounts<'a>(cx: &Cx<'a>) -> Option<&'a [Json]> {
    match place(cx)? {
        Place::Host => Some(&[]),
        Place::Known(meta) => Some(meta.get("Mounts").and_then(Json::as_array).map_or(&[], Vec::as_slice)),
        Place::Unknown => None,
    }
}

fn part(mount: &Json, key: &str) -> String {
    match mount.get(key) {
        Some(Json::String(s)) => s.clone(),
        Some(Json::Bool(b)) => b.to_string(),
        _ => String::new(),
    }
}

fn whole(mount: &Json) -> String {
    ["Source", "Destination", "Mode", "RW", "Propagation"].map(|key| part(mount, key)).join(":")
}

fn mounts<'a>(cx: &Cx<'a>) -> Option<Value<'a>> {
    owned(all_mounts(cx)?.iter().map(whole).collect::<Vec<_>>().join(","))
}

/// One mount by number, or the first whose source (destination, when the source is asked) matches the key.
fn mount<'a>(cx: &Cx<'a>, key: &Key, what: Option<&str>) -> Option<Value<'a>> {
    let mounts = all_mounts(cx)?;
    let found = match key {
        Key::Index(n) => mounts.get(usize::try_from(*n).ok()?)?,
        Key::Pattern(pattern) => {
            let place = if what == Some("Source") { "Destination" } else { "Source" };
            mounts.iter().find(|m| pattern.is_match(&part(m, place)))?
        }
        _ => return None,
    };
    owned(what.map_or_else(|| whole(found), |what| part(found, what)))
}

fn start<'a>(cx: &Cx<'a>) -> Option<Value<'a>> {
    let thread = cx.thread()?;
    (!thread.container_id.is_empty() && thread.pidns_init_start_ts != 0)
        .then_some(Value::Uint(thread.pidns_init_start_ts))
}

fn map<'a>(cx: &Cx<'a>, key: &str) -> Option<&'a Map<String, Json>> {
    match place(cx)? {
        Place::Known(meta) => meta.get(key)?.as_object(),
        _ => None,
    }
}

fn label<'a>(cx: &Cx<'a>, key: &Key, set: &str) -> Option<Value<'a>> {
    let Key::Name(name) = key else { return None };
    text(map(cx, set)?.get(name)?.as_str()?.as_bytes())
}

/// Everything that is known about the container of the event's thread.
pub(crate) fn meta_of<'a>(cx: &Cx<'a>) -> Option<&'a Map<String, Json>> {
    let Place::Known(meta) = place(cx)? else { return None };
    Some(meta)
}

/// Labels as text.
pub(crate) fn pairs(labels: &Map<String, Json>) -> String {
    listed(labels, |_| true)
}

fn listed(labels: &Map<String, Json>, keep: impl Fn(&str) -> bool) -> String {
    let pairs = labels.iter().filter(|(key, _)| keep(key));
    pairs
        .map(|(key, value)| format!("{key}:{}", value.as_str().unwrap_or_default()))
        .collect::<Vec<_>>()
        .join(", ")
}

fn labels<'a>(cx: &Cx<'a>) -> Option<Value<'a>> {
    if matches!(place(cx)?, Place::Unknown) {
        return None;
    }
    let public = |key: &str| !PRIVATE.iter().any(|prefix| key.starts_with(prefix));
    owned(map(cx, "labels").map(|labels| listed(labels, public)).unwrap_or_default())
}

fn pod<'a>(cx: &Cx<'a>, key: &str) -> Option<Value<'a>> {
    text(map(cx, "labels")?.get(key)?.as_str()?.as_bytes())
}

fn sandbox<'a>(cx: &Cx<'a>, most: usize) -> Option<Value<'a>> {
    let Place::Known(meta) = place(cx)? else { return None };
    let id = string(meta, "pod_sandbox_id");
    (!id.is_empty()).then_some(())?;
    text(&id.as_bytes()[..id.len().min(most)])
}

fn pod_labels<'a>(cx: &Cx<'a>) -> Option<Value<'a>> {
    owned(listed(map(cx, "pod_sandbox_labels")?, |_| true))
}

/// A property of the pod: of its sandbox when that is known on its own.
fn pod_meta<'a>(cx: &Cx<'a>, key: &str) -> Option<Value<'a>> {
    let Place::Known(meta) = place(cx)? else { return None };
    let sandbox = string(meta, "pod_sandbox_id");
    (!sandbox.is_empty()).then_some(())?;
    let short = &sandbox.as_bytes()[..sandbox.len().min(12)];
    let own = string(meta, "cni_json").is_empty().then(|| cx.state.containers.get(short)).flatten();
    text(string(own.map_or(meta, |c| &c.meta), key).as_bytes())
}

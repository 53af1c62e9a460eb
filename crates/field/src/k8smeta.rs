//! Fields about the pod of a process as the Kubernetes API knows it: namespace, owners, services.

use serde_json::{Map, Value as Json};

use crate::container::{meta_of, pairs};
use crate::field::{Arg, ArgKind, Field, Type};
use crate::value::{owned, text};
use crate::{Cx, Key, Scope, Value};

macro_rules! fields {
    ($($kind:literal $what:literal),* $(,)?) => {
        &[
            $(
                Field {
                    name: concat!("k8smeta.", $kind, ".name"),
                    about: concat!("Name of ", $what),
                    get: |cx, _| member(cx, $kind, "name"),
                    ..PLAIN
                },
                Field {
                    name: concat!("k8smeta.", $kind, ".uid"),
                    about: concat!("Uid of ", $what),
                    get: |cx, _| member(cx, $kind, "uid"),
                    ..PLAIN
                },
                Field {
                    name: concat!("k8smeta.", $kind, ".label"),
                    about: concat!("Label of ", $what, ", named in the argument"),
                    arg: Arg { kind: ArgKind::Key, required: true },
                    get: |cx, key| label(cx, $kind, key),
                    ..PLAIN
                },
                Field {
                    name: concat!("k8smeta.", $kind, ".labels"),
                    about: concat!("Labels of ", $what, " as k:v"),
                    get: |cx, _| labels(cx, $kind),
                    ..PLAIN
                },
            )*
            Field {
                name: "k8smeta.pod.ip",
                about: "Address of the pod",
                get: |cx, _| member(cx, "pod", "ip"),
                ..PLAIN
            },
        ]
    };
}

const PLAIN: Field = Field { kind: Type::Text, declared: "CHARBUF", scope: Scope::Process, ..Field::NEW };

/// The fields of this family.
pub(crate) static FIELDS: &[Field] = fields!(
    "pod" "the pod",
    "ns" "the namespace",
    "deployment" "the deployment that the pod belongs to",
    "rs" "the replica set that the pod belongs to",
    "rc" "the replication controller that the pod belongs to",
    "daemonset" "the daemon set that the pod belongs to",
    "statefulset" "the stateful set that the pod belongs to",
    "job" "the job that the pod belongs to",
    "svc" "the first service that selects the pod",
);

/// An object that the sensor put beside the description of the container.
fn object<'a>(cx: &Cx<'a>, kind: &str) -> Option<&'a Map<String, Json>> {
    meta_of(cx)?.get("k8s")?.get(kind)?.as_object()
}

pub(crate) fn member<'a>(cx: &Cx<'a>, kind: &str, key: &str) -> Option<Value<'a>> {
    text(object(cx, kind)?.get(key)?.as_str()?.as_bytes())
}

pub(crate) fn label<'a>(cx: &Cx<'a>, kind: &str, key: &Key) -> Option<Value<'a>> {
    let Key::Name(name) = key else { return None };
    text(object(cx, kind)?.get("labels")?.get(name)?.as_str()?.as_bytes())
}

pub(crate) fn labels<'a>(cx: &Cx<'a>, kind: &str) -> Option<Value<'a>> {
    owned(pairs(object(cx, kind)?.get("labels")?.as_object()?))
}

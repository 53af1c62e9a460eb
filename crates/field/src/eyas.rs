//! Fields of our own, about what the kernel did and not what the program said.

use crate::Cx;
use crate::field::{Field, Type};
use crate::value::text;

/// The fields of this family.
pub(crate) static FIELDS: &[Field] = &[Field {
    name: "eyas.path.resolved",
    about: "Path of the event's file as the kernel found it: through links, relative folders and mounts. Of rename, link, \
            mkdir, unlink, chmod and other calls by name it is where the name led, looked up right after the call; of \
            two names the new one. Where the kernel was not asked (a capture, an old file), the name of the file, as `fd.name`",
    kind: Type::Text,
    declared: "CHARBUF",
    get: |cx, _| resolved(cx).and_then(text),
    ..Field::NEW
}];

/// The sensor tells the kernel's path with an event that works on an open file.
fn resolved<'a>(cx: &Cx<'a>) -> Option<&'a [u8]> {
    let told = cx.event.resolved().filter(|path| path.starts_with(b"/"));
    told.or_else(|| Some(cx.fd()?.name.as_ref()).filter(|name| !name.is_empty()))
}

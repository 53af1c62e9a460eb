//! The descriptors of a poll event, a column at a time.

use std::net::IpAddr;

use eyas_event::table::Kind;
use eyas_state::{Fd, FdKind};

use crate::value::owned;
use crate::{Cx, Value, args};

/// What is listed of each descriptor.
#[derive(Clone, Copy)]
pub(crate) enum Column {
    Numbers,
    Names,
    ClientAddresses,
    ServerAddresses,
    ClientPorts,
    ServerPorts,
}

/// The column joined by commas. A descriptor without a name counts as `<NA>`, one without ends is left out.
pub(crate) fn list<'a>(cx: &Cx<'a>, column: Column) -> Option<Value<'a>> {
    let at = cx.event.info().params.iter().position(|p| p.kind == Kind::Fdlist)?;
    let owner = cx.state.files_owner(cx.seen.thread?)?;
    let files = &cx.state.threads.get(owner)?.files;
    let entries = args::entries(cx.event.param(at)?);
    let cells: Vec<_> = entries.iter().filter_map(|(num, _)| cell(column, *num, files.get(*num))).collect();
    owned(cells.join(&b',')).filter(|_| !cells.is_empty())
}

fn cell(column: Column, num: i64, fd: Option<&Fd>) -> Option<Vec<u8>> {
    let end = |client: bool| fd.and_then(|fd| end(fd, client));
    let listener = fd.and_then(|fd| match fd.kind {
        FdKind::Listener { ip, .. } => Some(ip),
        _ => None,
    });
    let text = match column {
        Column::Numbers => num.to_string(),
        Column::Names => {
            let name = fd.map(|fd| fd.name.to_vec()).filter(|name| !name.is_empty());
            return Some(name.unwrap_or_else(|| b"<NA>".to_vec()));
        }
        Column::ClientAddresses => end(true)?.0.to_string(),
        Column::ServerAddresses => end(false).map(|(ip, _)| ip).or(listener)?.to_string(),
        Column::ClientPorts => end(true)?.1.to_string(),
        Column::ServerPorts => end(false)?.1.to_string(),
    };
    Some(text.into_bytes())
}

/// One end of a connection.
fn end(fd: &Fd, client: bool) -> Option<(IpAddr, u16)> {
    match fd.kind {
        FdKind::Connection { source, sport, .. } if client => Some((source, sport)),
        FdKind::Connection { dest, dport, .. } => Some((dest, dport)),
        _ => None,
    }
}

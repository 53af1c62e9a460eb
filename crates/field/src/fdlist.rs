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

/// The column joined by commas; `<NA>` stands for what a descriptor lacks.
pub(crate) fn list<'a>(cx: &Cx<'a>, column: Column) -> Option<Value<'a>> {
    let at = cx.event.info().params.iter().position(|p| p.kind == Kind::Fdlist)?;
    let owner = cx.state.files_owner(cx.seen.thread?)?;
    let files = &cx.state.threads.get(owner)?.files;
    let entries = args::entries(cx.event.param(at)?);
    let show = |(num, _): &(i64, u16)| cell(column, *num, files.get(*num));
    owned(entries.iter().map(show).collect::<Vec<_>>().join(&b','))
}

fn cell(column: Column, num: i64, fd: Option<&Fd>) -> Vec<u8> {
    let end = |client: bool| fd.and_then(|fd| end(fd, client));
    let text = match column {
        Column::Numbers => Some(num.to_string()),
        Column::Names => return fd.map_or_else(|| b"<NA>".to_vec(), |fd| fd.name.to_vec()),
        Column::ClientAddresses => end(true).map(|(ip, _)| ip.to_string()),
        Column::ServerAddresses => end(false).map(|(ip, _)| ip.to_string()),
        Column::ClientPorts => end(true).map(|(_, port)| port.to_string()),
        Column::ServerPorts => end(false).map(|(_, port)| port.to_string()),
    };
    text.unwrap_or_else(|| "<NA>".to_owned()).into_bytes()
}

fn end(fd: &Fd, client: bool) -> Option<(IpAddr, u16)> {
    match fd.kind {
        FdKind::Connection { source, sport, .. } if client => Some((source, sport)),
        FdKind::Connection { dest, dport, .. } => Some((dest, dport)),
        FdKind::Listener { ip, port } if !client => Some((ip, port)),
        _ => None,
    }
}

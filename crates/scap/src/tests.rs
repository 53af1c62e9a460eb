//! Captures written and read back, old events converted, and bytes that lie.

use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex, PoisonError};

use eyas_event::{
    Event, File, FileKind, Given, Group, Interface, Machine, Process, Snapshot, User, build, find,
};
use proptest::prelude::*;

use crate::{Compression, Fault, Item, Reader, ScapError, Tape, Writer};

/// A stream whose bytes stay in reach.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn written(compression: Compression, fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let paper = Paper::default();
    let mut writer = Writer::new(paper.clone(), compression);
    fill(&mut writer);
    writer.finish().unwrap();

    paper.0.lock().unwrap().clone()
}

fn open_event(ts: u64, tid: i64, name: &str) -> Vec<u8> {
    let params = [
        ("fd", Given::Int(3)),
        ("name", Given::Text(name.into())),
        ("flags", Given::Text(b"O_RDWR|O_CREAT".to_vec())),
    ];
    build(find("open").unwrap(), ts, tid, &params).unwrap()
}

fn put(writer: &mut Writer, bytes: &[u8]) {
    writer.event(&Event::parse(bytes, 1, 0).unwrap()).unwrap();
}

type Read = (usize, Vec<Snapshot>, Vec<(u64, i64, u16, Vec<u8>)>);

fn read(bytes: &[u8]) -> Result<Read, ScapError> {
    let mut reader = Reader::new(Cursor::new(bytes.to_vec()))?;
    let (mut sections, mut records, mut events) = (0, Vec::new(), Vec::new());
    while let Some(item) = reader.next()? {
        match item {
            Item::Section => sections += 1,
            Item::Snapshot(record) => records.push(record),
            Item::Event(e) => events.push((e.ts, e.tid, e.kind, e.bytes.to_vec())),
        }
    }
    Ok((sections, records, events))
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let pad = body.len().wrapping_neg() % 4;
    let total = ((body.len() + pad + 12) as u32).to_le_bytes();
    [&kind.to_le_bytes(), &total, body, &[0; 3][..pad], &total].concat()
}

fn section() -> Vec<u8> {
    let body = [0x1A2B_3C4D_u32.to_le_bytes().to_vec(), vec![1, 0, 0, 0], vec![0xff; 8]].concat();
    block(0x0A0D_0D0A, &body)
}

/// An event with the 22-byte header.
fn old_event(ts: u64, tid: i64, kind: u16, params: &[&[u8]]) -> Vec<u8> {
    let len = 22 + params.iter().map(|p| p.len() + 2).sum::<usize>();
    let mut out = [
        &[2, 0][..],
        &ts.to_le_bytes(),
        &tid.to_le_bytes(),
        &(len as u32).to_le_bytes(),
        &kind.to_le_bytes(),
    ]
    .concat();
    params.iter().for_each(|p| out.extend((p.len() as u16).to_le_bytes()));
    params.iter().for_each(|p| out.extend_from_slice(p));
    block(0x204, &out)
}

#[test]
fn what_is_written_is_read_back_from_plain_and_gzip_files() {
    for compression in [Compression::Plain, Compression::Gzip] {
        let events = [open_event(5, 10, "/etc/shadow"), open_event(6, 11, "/tmp/x")];
        let bytes = written(compression, |w| events.iter().for_each(|e| put(w, e)));
        let (sections, records, read) = read(&bytes).unwrap();
        assert_eq!((sections, records.len()), (1, 1));
        assert_eq!(read.iter().map(|e| e.3.clone()).collect::<Vec<_>>(), events);
    }
}

#[test]
fn every_kind_of_snapshot_record_survives_the_round_trip() {
    let v4 = "10.0.0.1".parse().unwrap();
    let v6 = "fe80::1".parse().unwrap();
    let name = || b"/a/b".to_vec();
    let kinds = vec![
        FileKind::Connection { source: v4, dest: v4, sport: 1, dport: 2, l4: 2 },
        FileKind::Connection { source: v6, dest: v6, sport: 1, dport: 2, l4: 3 },
        FileKind::Listener { ip: v4, port: 80, l4: 2 },
        FileKind::Listener { ip: v6, port: 80, l4: 2 },
        FileKind::Unix { source: 1, dest: 2, name: name() },
        FileKind::Regular { flags: 3, name: name(), dev: 9, mount_id: 0 },
        FileKind::Named { code: 2, name: name() },
        FileKind::Named { code: 21, name: name() },
    ];
    let process = Process {
        tid: 7,
        pid: 7,
        args: b"a\0b\0".to_vec(),
        pgid: 5,
        exe_writable: true,
        exe_age: 3,
        exe_age_in_namespace: eyas_event::BEYOND_AGE,
        fdlimit: 9,
        ..Process::default()
    };
    let mut records = vec![
        Snapshot::Machine(Machine { cpus: 2, memory: 3, max_pid: 4, hostname: b"host".to_vec(), boot_ts: 5 }),
        Snapshot::Interface(Interface {
            name: b"eth0".to_vec(),
            address: v4,
            netmask: v4,
            broadcast: v4,
            linkspeed: 1,
        }),
        Snapshot::Interface(Interface {
            name: b"eth0".to_vec(),
            address: v6,
            netmask: v6,
            broadcast: v6,
            linkspeed: 0,
        }),
        Snapshot::User(User { uid: 1, gid: 2, name: b"me".to_vec(), home: name(), shell: name() }),
        Snapshot::Group(Group { gid: 2, name: b"us".to_vec() }),
        Snapshot::Process(Box::new(process)),
    ];
    let file = |(fd, kind)| Snapshot::File(File { tid: 7, fd, ino: 1, kind });
    records.extend((0..).zip(kinds).map(file));
    let bytes = written(Compression::Plain, |w| {
        records.iter().for_each(|r| w.snapshot(r.clone()));
        put(w, &open_event(5, 7, "/x"));
    });
    assert_eq!(read(&bytes).unwrap().1, records);
}

#[test]
fn sections_one_after_another_are_read_as_one_capture() {
    let one = written(Compression::Gzip, |w| put(w, &open_event(5, 10, "/a")));
    let (sections, _, events) = read(&[one.clone(), one].concat()).unwrap();
    assert_eq!((sections, events.len()), (2, 2));
}

#[test]
fn an_old_exit_event_takes_the_parameters_of_its_enter_event() {
    let fd = 5_i64.to_le_bytes();
    let enter = old_event(1, 10, 6, &[&fd, &64_u32.to_le_bytes()]);
    let exit = old_event(2, 10, 7, &[&3_i64.to_le_bytes(), b"abc"]);
    let (_, _, events) = read(&[section(), enter, exit].concat()).unwrap();
    let [(ts, tid, kind, bytes)] = &events[..] else { panic!("one event is expected: {events:?}") };
    let event = Event::parse(bytes, 0, 0).unwrap();
    assert_eq!((*ts, *tid, *kind), (2, 10, 7));
    assert_eq!(
        (event.signed(0), event.param(1), event.signed(2), event.unsigned(3)),
        (Some(3), Some(&b"abc"[..]), Some(5), Some(64))
    );
}

#[test]
fn without_its_enter_event_an_old_exit_event_gets_defaults() {
    let exit = old_event(2, 10, 7, &[&3_i64.to_le_bytes(), b"abc"]);
    let (_, _, events) = read(&[section(), exit].concat()).unwrap();
    assert_eq!(Event::parse(&events[0].3, 0, 0).unwrap().signed(2), Some(0));
}

#[test]
fn a_container_event_of_2015_becomes_json() {
    let event = old_event(2, 10, 228, &[b"3ad7b26ded6d\0", &0_u32.to_le_bytes(), b"na\"me\0", b"img\0"]);
    let (_, _, events) = read(&[section(), event].concat()).unwrap();
    assert_eq!(events[0].2, 324);
    let text = Event::parse(&events[0].3, 0, 0).unwrap().text(0).unwrap().to_vec();
    assert_eq!(
        String::from_utf8(text).unwrap(),
        r#"{"id":"3ad7b26ded6d","type":0,"name":"na\"me","image":"img"}"#
    );
}

#[test]
fn events_of_unknown_types_are_counted_and_skipped() {
    let mut strange = open_event(5, 10, "/a");
    strange[20..22].copy_from_slice(&900_u16.to_le_bytes());
    let body = [&[0, 0], &strange[..]].concat();
    let mut reader = Reader::new(Cursor::new([section(), block(0x216, &body)].concat())).unwrap();
    while reader.next().unwrap().is_some() {}
    assert_eq!((reader.tally().unknown, reader.tally().events), (1, 0));
}

#[test]
fn a_capture_that_is_cut_gives_its_events_and_the_offset() {
    let whole = written(Compression::Plain, |w| (0..3).for_each(|i| put(w, &open_event(i, 10, "/a"))));
    let mut reader = Reader::new(Cursor::new(whole[..whole.len() - 9].to_vec())).unwrap();
    let mut events = 0;
    let error = loop {
        match reader.next() {
            Ok(Some(Item::Event(_))) => events += 1,
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(events, 2);
    assert!(error.is_cut() && error.offset > 0, "{error}");
    assert!(reader.next().unwrap().is_none());
}

#[test]
fn a_cut_gzip_stream_is_a_cut_capture() {
    let whole = written(Compression::Gzip, |w| {
        (0..300).for_each(|i| put(w, &open_event(i, 10, &format!("/{}", i * 7919))))
    });
    let error = read(&whole[..whole.len() / 2]).unwrap_err();
    assert!(error.is_cut(), "{error}");
}

#[test]
fn files_that_are_no_captures_say_what_is_wrong() {
    let fault = |bytes: &[u8]| read(bytes).unwrap_err().fault;
    assert!(matches!(fault(b""), Fault::NotCapture));
    assert!(matches!(fault(b"#!/bin/sh\necho hello\n"), Fault::NotCapture));
    assert!(matches!(fault(&section()), Fault::Empty));
    let mut swapped = section();
    swapped[8..12].reverse();
    assert!(matches!(fault(&swapped), Fault::ByteOrder));
    let mut newer = section();
    newer[12] = 2;
    assert!(matches!(fault(&newer), Fault::Version(2)));
}

#[test]
fn a_tape_plays_every_round_after_the_one_before() {
    let bytes =
        written(Compression::Plain, |w| [5, 9].into_iter().for_each(|ts| put(w, &open_event(ts, 10, "/a"))));
    let mut tape = Tape::load(Reader::new(Cursor::new(bytes)).unwrap(), 3).unwrap();
    let (mut sections, mut times) = (0, Vec::new());
    while let Some(item) = tape.next().unwrap() {
        match item {
            Item::Section => sections += 1,
            Item::Snapshot(_) => {}
            Item::Event(event) => times.push(event.ts),
        }
    }
    assert_eq!((sections, times.len()), (3, 6));
    assert!(times.is_sorted(), "{times:?}");
}

/// Kinds, dump flags and first descriptors of the event blocks, as any other reader sees them.
fn raw_events(bytes: &[u8]) -> Vec<(u16, u32)> {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let (mut at, mut found) = (0, Vec::new());
    while at < bytes.len() {
        let start = match word(at) {
            0x216 => Some((at + 10, 0)),
            0x217 => Some((at + 14, word(at + 10))),
            _ => None,
        };
        found.extend(start.map(|(s, flags)| (u16::from_le_bytes([bytes[s + 20], bytes[s + 21]]), flags)));
        at += word(at + 4) as usize;
    }
    found
}

fn made(name: &str, params: &[(&str, Given)]) -> Vec<u8> {
    build(find(name).unwrap(), 9, 10, params).unwrap()
}

#[test]
fn an_exit_event_follows_an_enter_event_that_only_older_readers_see() {
    let read_event = made("read", &[("res", Given::Int(1)), ("fd", Given::Int(5)), ("size", Given::Int(64))]);
    let bytes = written(Compression::Plain, |w| put(w, &read_event));
    assert_eq!(raw_events(&bytes), [(6, 1 | 1 << 30), (7, 0)]);
    assert_eq!(read(&bytes).unwrap().2.iter().map(|e| e.2).collect::<Vec<_>>(), [7]);
}

#[test]
fn a_new_thread_entered_no_call_and_an_unknown_descriptor_is_not_made_up() {
    let birth = made("clone", &[("res", Given::Int(0))]);
    let lost = made("read", &[("res", Given::Int(1)), ("fd", Given::Nothing)]);
    let bytes = written(Compression::Plain, |w| [&birth, &lost].into_iter().for_each(|e| put(w, e)));
    assert_eq!(raw_events(&bytes).len(), 2);
}

#[test]
fn types_that_came_later_go_back_to_those_before_and_forth_again() {
    let dup = made("dup", &[("res", Given::Int(4)), ("oldfd", Given::Int(3))]);
    let accept = made(
        "accept4",
        &[
            ("fd", Given::Int(4)),
            ("flags", Given::Int(1)),
            ("queuepct", Given::Int(1)),
            ("queuelen", Given::Int(2)),
            ("queuemax", Given::Int(3)),
        ],
    );
    let events = [dup, accept];
    let bytes = written(Compression::Plain, |w| events.iter().for_each(|e| put(w, e)));
    let kinds: Vec<u16> = raw_events(&bytes).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [124, 125, 248, 249]);
    assert_eq!(read(&bytes).unwrap().2.into_iter().map(|e| e.3).collect::<Vec<_>>(), events);
}

#[test]
fn an_enter_event_of_another_call_serves_no_conversion() {
    let enter = old_event(1, 10, 4, &[&5_i64.to_le_bytes()]);
    let exit = old_event(2, 10, 7, &[&3_i64.to_le_bytes(), b"abc"]);
    let (_, _, events) = read(&[section(), enter, exit].concat()).unwrap();
    assert_eq!(events.len(), 1);
}

proptest! {
    #[test]
    fn any_event_survives_the_round_trip(ts: u64, tid: i64, name in "[a-z/]{0,300}", flags: u32) {
        let params = [("name", Given::Text(name.into_bytes())), ("flags", Given::Int(flags.into()))];
        let event = build(find("openat").unwrap(), ts, tid, &params).unwrap();
        let bytes = written(Compression::Plain, |w| put(w, &event));
        prop_assert_eq!(&read(&bytes).unwrap().2[0].3, &event);
    }

    #[test]
    fn hostile_bytes_give_an_error_or_an_end(junk in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&junk);
        let _ = read(&[section(), junk].concat());
    }

    #[test]
    fn hostile_blocks_give_an_error_or_an_end(kind in 0x200_u32..0x224, junk in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&[section(), block(kind, &junk)].concat());
    }

    #[test]
    fn a_flipped_byte_gives_an_error_or_other_events(at: prop::sample::Index, value: u8) {
        let process = Process { tid: 7, comm: b"sh".to_vec(), ..Process::default() };
        let mut bytes = written(Compression::Plain, |w| {
            w.snapshot(Snapshot::Process(Box::new(process)));
            (0..3).for_each(|i| put(w, &open_event(i, 10, "/a")));
        });
        let at = at.index(bytes.len());
        bytes[at] = value;
        let _ = read(&bytes);
    }

    #[test]
    fn old_events_of_any_shape_convert_or_are_refused(kind in 0_u16..454, params in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..20)) {
        let slices: Vec<&[u8]> = params.iter().map(Vec::as_slice).collect();
        let event = old_event(1, 1, kind, &slices);
        let _ = read(&[section(), event.clone(), event].concat());
    }
}

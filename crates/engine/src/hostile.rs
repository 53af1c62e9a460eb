//! Hostile events through state, every field and the rules: no crash, and what is remembered is what is true.
//!
//! `PROPTEST_CASES=1000000 cargo test --release -p eyas-engine hostile` goes on for hours.

use std::sync::Arc;

use eyas_eval::Program;
use eyas_event::table::{Kind, Param};
use eyas_event::{EVENTS, Event, File, FileKind, Process, Snapshot, encode};
use eyas_field::{ArgKind, FieldRef, Key, catalog, render, resolve};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::engine::Engine;

/// Cases of a test unless the environment asks for more.
const CASES: u32 = 16;

fn config() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(CASES),
        failure_persistence: None,
        max_shrink_iters: 300,
        ..ProptestConfig::default()
    }
}

const TEXTS: [&[u8]; 14] = [
    b"",
    b"\0",
    b"/\0",
    b"/etc/passwd\0",
    b"../../x\0",
    b"a/./b//c/..\0",
    b"(NULL)\0",
    b"<NA>\0",
    b"no end",
    b"\xff\xfe\0",
    b"a\0b\0c\0",
    b"cpu=/docker/3ad7b26ded6d3ad7b26ded6d3ad7b26ded6d3ad7b26ded6d3ad7b26ded6d3ad7\0memory=\0=\0",
    b"{\"id\":\"3ad7b26ded6d\",\"type\":0}\0",
    b"{\"container\":{\"id\":1,\"labels\":[]}}\0",
];

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![6 => -2_i64..9, 1 => Just(-100), 1 => Just(i64::MIN), 1 => Just(i64::MAX), 1 => any::<i64>()]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => prop::sample::select(&TEXTS[..]).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..60),
        1 => prop::collection::vec(prop::sample::select(&b"/.\0a"[..]), 0..3000),
    ]
}

/// A socket address or tuple: a family that may lie about what follows.
fn address() -> impl Strategy<Value = Vec<u8>> {
    let family = prop::sample::select(&[0_u8, 1, 2, 10, 16, 255][..]);
    let length = prop::sample::select(&[0_usize, 1, 6, 12, 17, 18, 20, 36, 40][..]);
    (family, length, any::<u8>()).prop_map(|(family, length, byte)| {
        let mut bytes = vec![family];
        bytes.extend((0..length).map(|n| byte.wrapping_mul(n as u8)));
        bytes
    })
}

fn param(param: &Param) -> BoxedStrategy<Vec<u8>> {
    let right: BoxedStrategy<Vec<u8>> = match param.kind {
        Kind::Sockaddr | Kind::Socktuple => address().boxed(),
        Kind::Fdlist => (0_u16..5, prop::collection::vec(any::<u8>(), 0..45))
            .prop_map(|(n, rest)| [&n.to_le_bytes()[..], &rest].concat())
            .boxed(),
        Kind::Dyn => (0_u8..6, number()).prop_map(|(n, v)| [&[n][..], &v.to_le_bytes()].concat()).boxed(),
        kind => match kind.size() {
            Some(size @ 1..=8) => number().prop_map(move |n| n.to_le_bytes()[..size].to_vec()).boxed(),
            _ => text().boxed(),
        },
    };
    prop_oneof![12 => right, 1 => Just(Vec::new()), 1 => prop::collection::vec(any::<u8>(), 0..24)].boxed()
}

/// An event of a type, with as many parameters as it has, or fewer.
fn event() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![3 => 0..EVENTS.len(), 2 => (0..EVENTS.len()).prop_map(|n| n | 1)];
    (kind, any::<u32>(), prop::sample::select(&[-1_i64, 0, 1, 2, 3, 4, 5, i64::MAX][..])).prop_flat_map(
        |(kind, ts, tid)| {
            let info = &EVENTS[kind.min(EVENTS.len() - 1)];
            let params: Vec<_> = info.params.iter().map(param).collect();
            let cut = prop_oneof![8 => Just(usize::MAX), 1 => 0..9_usize];
            (params, cut).prop_map(move |(params, cut)| {
                let given: Vec<&[u8]> = params.iter().take(cut).map(Vec::as_slice).collect();
                let mut out = Vec::new();
                encode(&mut out, u64::from(ts), tid, info.id, &given).unwrap();
                out
            })
        },
    )
}

fn record() -> impl Strategy<Value = Snapshot> {
    let process = (0..6_i64, 0..6_i64, 0..6_i64, text(), text(), any::<u32>()).prop_map(
        |(tid, pid, ptid, comm, args, flags)| {
            Snapshot::Process(Box::new(Process {
                tid,
                pid,
                ptid,
                sid: ptid,
                vpgid: pid,
                comm: comm.clone(),
                exe: comm,
                cgroups: args.clone(),
                args,
                flags,
                ..Process::default()
            }))
        },
    );
    let file = (0..6_i64, number(), text(), 0_u8..30).prop_map(|(tid, fd, name, code)| {
        let kind = match code {
            16 => FileKind::Regular { flags: 7, name, dev: 1, mount_id: 0 },
            8 => FileKind::Unix { source: 1, dest: 2, name },
            code => FileKind::Named { code, name },
        };
        Snapshot::File(File { tid, fd, ino: 1, kind })
    });
    prop_oneof![process, file]
}

fn columns() -> Vec<FieldRef> {
    let keys = |kind| match kind {
        ArgKind::None => vec![None],
        ArgKind::Index => vec![None, Some(Key::Index(0)), Some(Key::Index(1)), Some(Key::Index(99))],
        _ => vec![None, Some(Key::Index(0)), Some(Key::Name("name".into())), Some(Key::Name("fd".into()))],
    };
    catalog().flat_map(|f| keys(f.arg.kind).into_iter().filter_map(|key| resolve(f.name, key).ok())).collect()
}

/// A rule for every field, and some that ask of two.
fn program() -> Arc<Program> {
    // Differences of time are to the last value asked for, so asking twice is no repetition.
    let pure = |f: &&&eyas_field::Field| !f.arg.required && !f.name.starts_with("thread.cpu");
    let fields: Vec<_> = catalog().collect();
    let asked = fields.iter().filter(pure).flat_map(|f| {
        let exists = json!({"test": "exists", "left": {"field": f.name}});
        let on = json!({"test": "exists", "left": {"field": "evt.type"}});
        [exists.clone(), json!({"and": [on, {"not": exists}]})]
    });
    let rules: Vec<Json> = (0..)
        .zip(asked)
        .map(|(n, condition): (u32, Json)| json!({"id": n, "name": format!("r{n}"), "source": "syscall", "condition": condition}))
        .collect();
    Arc::new(Program::from_json(json!({"ir": 1, "rules": rules}).to_string().as_bytes()).unwrap())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn hostile_events_reach_every_field_and_rules_remember_what_is_true(
        records in prop::collection::vec(record(), 0..12),
        events in prop::collection::vec(event(), 1..40),
    ) {
        let (columns, program) = (columns(), program());
        let mut engine = Engine::new(None);
        records.iter().for_each(|r| engine.seed(r));
        engine.seeded();
        let mut memory = program.memory();
        for bytes in &events {
            let mut event = Event::parse(bytes, 0, 0).unwrap();
            let seen = engine.fold(&mut event);
            let cx = engine.context(&event, &seen);
            for column in &columns {
                let _ = render(column.get(&cx).as_ref(), Some(column), &cx);
            }
            if !seen.hidden {
                let (mut remembered, mut anew) = (Vec::new(), Vec::new());
                program.judge(&mut memory, &cx, &mut remembered);
                program.judge(&mut program.memory(), &cx, &mut anew);
                let differing: Vec<_> = anew.iter().filter(|rule| !remembered.contains(rule)).map(|rule| program.explain(*rule, &cx)).collect();
                prop_assert!(remembered == anew, "{} of thread {}: {differing:?}", event.info().name, event.tid);
            }
            engine.done(&event, &seen);
        }
    }
}

/// Conditions of every kind, as the language lowers them.
const GOLDENS: [&str; 10] = [
    include_str!("../../../tests/goldens/ir/a-field-on-the-right.json"),
    include_str!("../../../tests/goldens/ir/a-modifier-keeps-its-list.json"),
    include_str!("../../../tests/goldens/ir/a-set-of-names.json"),
    include_str!("../../../tests/goldens/ir/an-ancestor-by-number.json"),
    include_str!("../../../tests/goldens/ir/an-option-of-a-command.json"),
    include_str!("../../../tests/goldens/ir/between-two-integers.json"),
    include_str!("../../../tests/goldens/ir/bytes-and-host-names.json"),
    include_str!("../../../tests/goldens/ir/groups-of-one-kind-become-one.json"),
    include_str!("../../../tests/goldens/ir/transformers-nest.json"),
    include_str!("../../../tests/goldens/ir/typed-constants.json"),
];

/// Something that takes the place of a part of the IR.
fn odd() -> impl Strategy<Value = Json> {
    let fields: Vec<&str> = catalog().map(|f| f.name).collect();
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        ".{0,12}".prop_map(Json::from),
        prop::sample::select(fields).prop_map(Json::from),
        prop::sample::select(&["eq", "in", "pmatch", "regex", "glob", "gt", "contains", "intersects"][..])
            .prop_map(Json::from),
        prop::sample::select(&["text", "uint", "int", "ip", "net", "double", "bool"][..])
            .prop_flat_map(|kind| ".{0,6}".prop_map(move |text| json!({kind: text}))),
        Just(json!([])),
        Just(json!({})),
        Just(json!({"const": true})),
    ]
}

/// Puts `odd` in the place of the part that `left` counts down to; tells whether it was reached.
fn replace(json: &mut Json, left: &mut usize, odd: &Json) -> bool {
    if *left == 0 {
        *json = odd.clone();
        return true;
    }
    *left -= 1;
    match json {
        Json::Array(items) => items.iter_mut().any(|item| replace(item, left, odd)),
        Json::Object(map) => map.values_mut().any(|item| replace(item, left, odd)),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: config().cases * 16, ..config() })]

    #[test]
    fn odd_ir_is_refused_with_its_place_or_runs(
        golden in prop::sample::select(&GOLDENS[..]),
        changes in prop::collection::vec((0_usize..60, odd()), 0..4),
        events in prop::collection::vec(event(), 1..6),
    ) {
        let golden: Json = serde_json::from_str(golden).unwrap();
        let rule = json!({"id": 0, "name": "r", "source": "syscall", "condition": golden["ir"]});
        let mut ir = json!({"ir": 1, "rules": [rule]});
        for (mut at, odd) in changes.iter().cloned() {
            replace(&mut ir, &mut at, &odd);
        }
        let program = match Program::from_json(ir.to_string().as_bytes()) {
            Ok(program) => program,
            Err(error) => {
                prop_assert!(!changes.is_empty(), "{error}");
                prop_assert!(!error.path.is_empty() || !error.what.is_empty());
                return Ok(());
            }
        };
        let mut engine = Engine::new(Some(Arc::new(program)));
        let mut matches = Vec::new();
        for bytes in &events {
            engine.event(&mut Event::parse(bytes, 0, 0).unwrap(), &mut matches);
        }
    }
}

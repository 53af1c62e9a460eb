//! Prints the values of fields for every visible event of a capture: `values CAPTURE FIELD…`, JSON lines.

use eyas_field::{Cx, Key, render, resolve};
use eyas_scap::{Item, Reader};
use eyas_state::State;

fn parse(name: &str) -> Result<eyas_field::FieldRef, Box<dyn std::error::Error>> {
    if let Some((field, rest)) = name.split_once('[') {
        let arg = rest.trim_end_matches(']');
        let key = arg.parse().map_or_else(|_| Key::Name(arg.to_owned()), Key::Index);
        return Ok(resolve(field, Some(key))?);
    }
    for prefix in ["evt.arg", "evt.rawarg", "evt.type.is", "thread.cgroup"] {
        if let Some(arg) = name.strip_prefix(prefix).and_then(|r| r.strip_prefix('.')) {
            return Ok(resolve(prefix, Some(Key::Name(arg.to_owned())))?);
        }
    }
    Ok(resolve(name, None)?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: values CAPTURE FIELD…")?;
    let names: Vec<String> = args.collect();
    let fields = names.iter().map(|n| parse(n)).collect::<Result<Vec<_>, _>>()?;
    let mut reader = Reader::open(path.as_ref())?;
    let (mut state, mut seeded, mut num) = (State::default(), false, 0);
    let (mut first, mut previous) = (0, None);
    while let Some(item) = reader.next()? {
        match item {
            Item::Section => (state, seeded) = (State::default(), false),
            Item::Snapshot(record) => state.seed(&record),
            Item::Event(mut event) => {
                if !std::mem::replace(&mut seeded, true) {
                    state.seeded();
                }
                let seen = state.fold(&event);
                num += 1;
                event.num = num;
                if first == 0 {
                    first = event.ts;
                }
                if seen.hidden {
                    continue;
                }
                let cx = Cx {
                    state: &state,
                    event: &event,
                    seen: &seen,
                    previous_ts: previous.unwrap_or(event.ts),
                    first_ts: first,
                    record: None,
                    base64: false,
                };
                let row: serde_json::Map<String, serde_json::Value> = names
                    .iter()
                    .zip(&fields)
                    .map(|(n, f)| (n.clone(), render(f.get(&cx).as_ref(), Some(f), &cx).1))
                    .collect();
                println!("{}", serde_json::Value::Object(row));
                previous = Some(event.ts);
            }
        }
    }
    Ok(())
}

//! Records in, values out; and bytes of every kind, which never do harm.

use eyas_field::{Record, Value};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::{Argument, Ask, Cells, Item, Reader, Schema};

const LIMIT: usize = 1 << 20;

fn source(value: &Json) -> Ask {
    let declared = json!({
        "name": "test",
        "plugin": "test",
        "fields": [
            {"name": "t.one", "type": "text", "value": value},
            {"name": "t.all", "type": "text", "value": value, "list": true, "arg": "index"},
            {"name": "t.key", "type": "text", "value": value, "arg": "key"},
        ],
        "time": {"at": ["/time"], "clock": "rfc3339"},
        "lists": ["Records"],
    });
    Schema::from_json(&declared).unwrap().ask().unwrap()
}

/// Value of a slot as text, `-` when there is none; what is refused as `at what`.
fn read(body: &[u8], ask: Ask) -> Vec<String> {
    let asked = ask.done();
    let mut reader = Reader::new(std::io::Cursor::new(body.to_vec()), LIMIT);
    let mut out = Vec::new();
    loop {
        match reader.next(&asked, Cells::default()).unwrap() {
            Item::Record(record, _) => out.push(record.value(0).map_or("-".to_owned(), shown)),
            Item::Refused(refused) => out.push(format!("{} {}", refused.at, refused.what)),
            Item::End => return out,
        }
    }
}

fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Value::List(items) => format!("({})", items.iter().map(shown).collect::<Vec<_>>().join(",")),
        other => format!("{other:?}"),
    }
}

fn one(value: Json, record: Json) -> String {
    let mut ask = source(&value);
    ask.field("t.one", None).unwrap();
    read(record.to_string().as_bytes(), ask).remove(0)
}

fn all(value: Json, record: Json) -> String {
    let mut ask = source(&value);
    ask.field("t.all", None).unwrap();
    read(record.to_string().as_bytes(), ask).remove(0)
}

fn at(body: &str) -> Vec<String> {
    let mut ask = source(&json!("/a"));
    ask.field("t.one", None).unwrap();
    read(body.as_bytes(), ask)
}

#[test]
fn a_pointer_finds_texts_numbers_and_json() {
    let record = json!({"a": {"b/c": "x\n\"é", "n": -1.5e3, "t": true, "o": {"k": [1, 2]}, "z": null}});
    assert_eq!(one(json!("/a/b~1c"), record.clone()), "x\n\"é");
    assert_eq!(one(json!("/a/n"), record.clone()), "-1500.0");
    assert_eq!(one(json!("/a/t"), record.clone()), "true");
    assert_eq!(one(json!("/a/o"), record.clone()), r#"{"k":[1,2]}"#);
    assert_eq!(one(json!("/a/o/k/1"), record.clone()), "2");
    assert_eq!(one(json!("/a/z"), record.clone()), "-");
    assert_eq!(one(json!("/a/n/deeper"), record.clone()), "-");
    assert_eq!(one(json!(""), json!({"a": 1})), r#"{"a":1}"#);
}

#[test]
fn json_is_shown_without_white_space() {
    assert_eq!(at("{\"a\": { \"k\" : [ 1,\n 2 ], \"s\": \"a \\\" b\" } }"), [r#"{"k":[1,2],"s":"a \" b"}"#]);
}

#[test]
fn a_star_gives_each_element() {
    let record = json!({"a": [{"n": "x", "v": [1, 2]}, {"v": [3]}, {"n": "y"}, 7]});
    assert_eq!(all(json!("/a/*/n"), record.clone()), "(x,y)");
    assert_eq!(all(json!("/a/*/v/*"), record.clone()), "(1,2,3)");
    assert_eq!(all(json!("/a/*[n=x]/v/*"), record.clone()), "(1,2)");
    assert_eq!(all(json!("/b/*"), record.clone()), "-");
    assert_eq!(all(json!("/a"), record), r#"([{"n":"x","v":[1,2]},{"v":[3]},{"n":"y"},7])"#);
}

#[test]
fn an_index_takes_the_place_of_the_first_star() {
    let mut ask = source(&json!("/a/*/v/*"));
    ask.field("t.all", Some(Argument::Index(1))).unwrap();
    assert_eq!(read(br#"{"a":[{"v":[1,2]},{"v":[3,4]}]}"#, ask), ["(3,4)"]);
}

#[test]
fn a_key_is_a_pointer_in_which_a_star_is_a_star() {
    let mut ask = source(&json!("{arg}"));
    ask.field("t.key", Some(Argument::Key("a/*/0".to_owned()))).unwrap();
    assert_eq!(read(br#"{"a":{"*":["x"]}}"#, ask), ["x"]);
}

#[test]
fn operations_derive_what_no_pointer_says() {
    let record = json!({
        "u": "/x?command=ls&command=b&e#f", "k": "Role", "arn": "a/b/c",
        "list": [{"i": "reg:5000/a/b:1@sha256:0", "args": ["a", "b"]}, {"args": []}, {"i": "nginx:1"}],
        "in": 3, "out": 4.0, "o": {"name": 1, "hostPath": 2, "x": 3},
    });
    let text = |words: &str| json!(["text", words]);
    let cases = [
        (json!(["first", "/none", "/k"]), "Role"),
        (json!(["concat", text("<"), "/k", text(">")]), "<Role>"),
        (json!(["concat", "/k", "/none"]), "-"),
        (json!(["join", text(" "), "/list/*/args/*"]), "a b"),
        (json!(["part", "/arn", text("/"), text("2")]), "c"),
        (json!(["part", "/arn", text("/"), text("3")]), "-"),
        (json!(["without_suffix", "/k", text("le")]), "Ro"),
        (json!(["without_prefix", "/k", text("Ro")]), "le"),
        (json!(["shortened", "/k", text("2")]), "Ro"),
        (json!(["total", "/in", "/out", "/none"]), "7"),
        (json!(["total", "/none"]), "-"),
        (json!(["last", "/list/*/i"]), "nginx:1"),
        (json!(["when", ["one_of", "/k", text("A"), text("Role")], text("yes"), text("no")]), "yes"),
        (json!(["when", ["negated", ["has", "/k"]], text("yes")]), "-"),
        (json!(["when", ["same", "/k", "/arn"], text("yes"), text("no")]), "no"),
        (json!(["when", ["starts_with", "/arn", text("a/")], text("yes")]), "yes"),
        (json!(["event_time"]), "0"),
    ];
    for (value, wanted) in cases {
        assert_eq!(one(value.clone(), record.clone()), wanted, "{value}");
    }
    assert_eq!(
        all(json!(["each", "/list/*", ["image_repository", "/i"]]), record.clone()),
        "(reg:5000/a/b,nginx)"
    );
    assert_eq!(
        all(json!(["each", "/list/*", ["first", "/i", ["root", "/k"]]]), record.clone()),
        "(reg:5000/a/b:1@sha256:0,Role,nginx:1)"
    );
    assert_eq!(all(json!(["each", "/list/*", ["join", text(" "), "/args/*"]]), record.clone()), "(a b)");
    assert_eq!(all(json!(["keys", "/o", text("name")]), record.clone()), "(hostPath,x)");
    let mut ask = source(&json!(["query", "/u"]));
    ask.field("t.key", Some(Argument::Key("command".to_owned()))).unwrap();
    assert_eq!(read(record.to_string().as_bytes(), ask), ["ls"]);
}

#[test]
fn documents_are_records_or_lists_of_records() {
    assert_eq!(at("{\"a\":1}\n{\"a\":2}\r\n\n {\"a\":3}{\"a\":4}"), ["1", "2", "3", "4"]);
    assert_eq!(at("[{\"a\":1},{\"a\":2}] [] [ ]\n{\"a\":3}"), ["1", "2", "3"]);
    assert_eq!(
        at("{\"x\":{\"y\":[]},\"Records\":[{\"a\":1},{\"a\":2}],\"z\":[{}]}{\"a\":3}"),
        ["1", "2", "3"]
    );
    assert_eq!(at("{\"Records\":[]}\n{\"Records\":{\"a\":1},\"a\":5}"), ["5"]);
    assert_eq!(at(""), Vec::<String>::new());
}

#[test]
fn a_list_of_many_records_needs_no_more_memory_than_one() {
    let mut body = b"{\"Records\":[".to_vec();
    for n in 0..50_000 {
        body.extend_from_slice(format!("{{\"a\":{n},\"fill\":\"{}\"}},", "x".repeat(60)).as_bytes());
    }
    body.pop();
    body.extend_from_slice(b"]}");
    assert!(body.len() > 3 * LIMIT);
    let mut ask = source(&json!("/a"));
    ask.field("t.one", None).unwrap();
    let found = read(&body, ask);
    assert_eq!((found.len(), found.last().map(String::as_str)), (50_000, Some("49999")));
}

#[test]
fn what_is_no_record_is_told_with_its_place_and_reading_goes_on() {
    assert_eq!(at("{\"a\":1}\nrubbish\n{\"a\":2}\n"), ["1", "8 not JSON: '{' or '[' expected", "2"]);
    assert_eq!(at("{\"a\":nope}\n{\"a\":2}"), ["5 not JSON: true, false or null expected", "2"]);
    assert_eq!(at("{\"a\":\"cut\n{\"a\":2}"), ["9 not JSON: no control character in a text expected", "2"]);
    assert_eq!(at("{\"a\":1,\n{\"a\":2}"), ["8 not JSON: a key expected", "2"]);
    assert_eq!(at("{\"a\":1}\n{\"a\":"), ["1", "8 ends in the middle of a value"]);
    assert_eq!(at("{\"a\":01}\n{\"a\":\"\\x\"}\n{\"a\":[1}}\n{\"a\":2}").len(), 4);
}

#[test]
fn an_element_that_is_no_record_leaves_the_others_of_its_list() {
    assert_eq!(
        at(r#"[{"a":1},null,[2],"x",{"a":3}]"#),
        ["1", "9 not JSON: '{' expected", "14 not JSON: '{' expected", "18 not JSON: '{' expected", "3"]
    );
    assert_eq!(at(r#"{"Records":[{"a":tru},{"a":2}]}"#), ["17 not JSON: true, false or null expected", "2"]);
    let deep = format!(
        r#"{{"Records":[{{"a":1}},{}{},{{"a":2}}]}}"#,
        r#"{"a":"#.repeat(9000) + "1",
        "}".repeat(9000)
    );
    let found = at(&deep);
    assert_eq!((found[0].as_str(), found[2].as_str()), ("1", "2"));
    assert!(found[1].ends_with("nested deeper than 256"), "{found:?}");
}

#[test]
fn deep_nesting_is_refused_without_a_deep_stack() {
    let deep = format!("{{\"b\":{}}}\n{{\"a\":2}}", "[".repeat(10_000_000));
    let found = at(&deep);
    assert!(found[0].ends_with("nested deeper than 256"), "{found:?}");
    assert_eq!(found[1], "2");
}

#[test]
fn a_record_longer_than_the_limit_is_refused() {
    let long = format!("{{\"b\":\"{}\"}}\n{{\"a\":2}}", "x".repeat(4 * LIMIT));
    assert_eq!(at(&long), [format!("0 longer than {LIMIT} bytes"), "2".to_owned()]);
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    let mut ask = source(&json!("/a"));
    ask.field("t.one", None).unwrap();
    assert_eq!(read(b"{\"b\":\"\xff\",\"a\":1}\n{\"a\":2}", ask), ["6 not UTF-8", "2"]);
}

#[test]
fn numbers_that_do_not_fit_are_no_value() {
    let declared = json!({
        "name": "t", "plugin": "t", "time": {"at": [], "clock": "ns"},
        "fields": [{"name": "t.n", "type": "uint", "value": "/n"}, {"name": "t.ip", "type": "ip", "value": "/ip"}],
    });
    let value = |field: &str, body: &str| {
        let mut ask = Schema::from_json(&declared).unwrap().ask().unwrap();
        ask.field(field, None).unwrap();
        read(body.as_bytes(), ask).remove(0)
    };
    assert_eq!(value("t.n", r#"{"n":18446744073709551615}"#), "Uint(18446744073709551615)");
    assert_eq!(value("t.n", r#"{"n":18446744073709551616}"#), "-");
    assert_eq!(value("t.n", r#"{"n":-1}"#), "-");
    assert_eq!(value("t.n", r#"{"n":1e999}"#), "-");
    assert_eq!(value("t.n", r#"{"n":{"a":1}}"#), "-");
    assert_eq!(value("t.n", r#"{"n":"7"}"#), "Uint(7)");
    assert_eq!(value("t.ip", r#"{"ip":"::1"}"#), "Ip(::1)");
    assert_eq!(value("t.ip", r#"{"ip":"AWS Internal"}"#), "-");
}

/// JSON of some depth, with keys that the wanted pointers know.
fn values() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Json::from),
        ".*".prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::btree_map("[abc\"\\\\]{1,2}", inner, 0..5)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_end_in_records_and_refusals(body in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut ask = source(&json!(["each", "/a/*", "/b"]));
        ask.field("t.all", None).unwrap();
        read(&body, ask);
    }

    #[test]
    fn almost_json_ends_too(body in r#"[\[\]{}:,"\\ 0-9.eEabtrufalsn\n-]{0,200}"#) {
        let mut ask = source(&json!("/a/*/b"));
        ask.field("t.all", None).unwrap();
        read(body.as_bytes(), ask);
    }

    #[test]
    fn damaged_and_deep_records_end_too(
        value in values(), depth in 0_usize..3000, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let deep = "[".repeat(depth) + &value.to_string() + &"]".repeat(depth);
        let mut body = json!({"a": [{"b": value}]}).to_string() + &format!("\n{{\"a\":{deep}}}");
        body.push_str(&json!({"a": [{"b": 1}]}).to_string());
        let mut body = body.into_bytes();
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let mut ask = source(&json!("/a/*/b"));
        ask.field("t.all", None).unwrap();
        read(&body, ask);
    }

    #[test]
    fn a_pointer_finds_what_a_whole_parse_finds(value in values(), pretty in any::<bool>()) {
        let record = json!({"a": value, "Rest": [1]});
        let body = if pretty { serde_json::to_string_pretty(&record).unwrap() } else { record.to_string() };
        for pointer in ["/a", "/a/b", "/a/0/c", "/a/b/c/a"] {
            let mut ask = source(&json!(pointer));
            ask.field("t.one", None).unwrap();
            let wanted = match record.pointer(pointer) {
                None | Some(Json::Null) => "-".to_owned(),
                Some(Json::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            prop_assert_eq!(read(body.as_bytes(), ask), vec![wanted]);
        }
    }
}

//! One request in, one answer out: what is refused at once, and what waits for whoever judges.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::{Method, Request, Response, StatusCode};
use tokio::time::timeout;

use crate::bucket::Buckets;
use crate::desk::{Arrived, Desk, Refusal, Reply};
use crate::settings::Settings;
use crate::unpack::{Unpacking, gunzip};

/// An answer other than yes.
struct Refused {
    status: u16,
    reason: &'static str,
    detail: String,
}

fn refused<T>(status: u16, reason: &'static str, detail: impl Into<String>) -> Result<T, Refused> {
    Err(Refused { status, reason, detail: detail.into() })
}

/// Bodies of full size, and bytes at least, that may be in memory at one time.
const BODIES: usize = 8;
const BYTES: usize = 64 << 20;

/// Bytes that one request holds in memory, of all that are held.
struct Held<'d> {
    all: &'d AtomicUsize,
    own: usize,
    most: usize,
}

impl Held<'_> {
    /// Holds more; refused when all together are too many.
    fn more(&mut self, bytes: usize) -> Result<(), Refused> {
        self.own += bytes;
        if self.all.fetch_add(bytes, Ordering::Relaxed) + bytes > self.most {
            return refused(503, "busy", "bodies that wait fill the memory");
        }
        Ok(())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.all.fetch_sub(self.own, Ordering::Relaxed);
    }
}

/// The rules of the house.
pub(crate) struct Door {
    settings: Settings,
    held: AtomicUsize,
    buckets: Mutex<Buckets>,
    desk: Arc<Desk>,
}

impl Door {
    pub(crate) fn new(settings: Settings, desk: Arc<Desk>) -> Door {
        let buckets = Mutex::new(Buckets::new(settings.rate));
        Door { settings, held: AtomicUsize::new(0), buckets, desk }
    }

    /// Counts what did not become a request.
    pub(crate) fn note(&self, peer: IpAddr, reason: &'static str, detail: String) {
        self.desk.refuse(Refusal { peer, reason, detail, count: 1 });
    }

    /// Leaves those that wait without an answer.
    pub(crate) fn abandon(&self) {
        self.desk.abandon();
    }

    /// Answers a request.
    pub(crate) async fn answer(&self, peer: IpAddr, request: Request<Incoming>) -> Response<Full<Bytes>> {
        match self.handed_on(peer, request).await {
            Ok(reply) => response(reply),
            Err(Refused { status, reason, detail }) => {
                self.note(peer, reason, detail);
                let mut answer = response(Reply { status, body: format!("{reason}\n").into() });
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                answer
            }
        }
    }

    async fn handed_on(&self, peer: IpAddr, request: Request<Incoming>) -> Result<Reply, Refused> {
        self.admit(peer, &request)?;
        let (head, body) = request.into_parts();
        let wait = self.settings.timeout;
        let most = (self.settings.max_body * BODIES).max(BYTES);
        let mut held = Held { all: &self.held, own: 0, most };
        let reading = timeout(wait, self.read(body, &mut held));
        let Ok(read) = reading.await else { return refused(408, "too slow", "") };
        let body = self.unpacked(&head.headers, read?, &mut held)?;
        let arrived = Arrived { number: 0, peer, headers: self.kept(&head.headers), body };
        let Some((number, answered)) = self.desk.put(arrived, self.settings.waiting) else {
            return refused(503, "busy", "");
        };
        match timeout(wait, answered).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) => refused(503, "stopping", ""),
            Err(_) => {
                self.desk.give_up(number);
                refused(503, "not safe in time", "")
            }
        }
    }

    fn admit(&self, peer: IpAddr, request: &Request<Incoming>) -> Result<(), Refused> {
        if request.uri().path().trim_end_matches('/') != self.settings.path.trim_end_matches('/') {
            return refused(404, "unknown path", "");
        }
        if request.method() != Method::POST {
            return refused(405, "only POST", "");
        }
        self.admit_type(request.headers())?;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if !buckets.take(peer, Instant::now()) {
            return refused(429, "too many requests", "");
        }
        if let Some(token) = &self.settings.token
            && !bears(request.headers(), token)
        {
            return refused(401, "wrong token", "");
        }
        let (length, limit) = (request.body().size_hint().lower(), self.settings.max_body);
        if length > limit as u64 {
            return refused(413, "too large", format!("{length} bytes announced, {limit} allowed"));
        }
        Ok(())
    }

    fn admit_type(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let given = text(headers, &CONTENT_TYPE);
        let kind = given.split(';').next().unwrap_or_default().trim();
        let types = &self.settings.types;
        if types.is_empty() || types.iter().any(|one| one.eq_ignore_ascii_case(kind)) {
            return Ok(());
        }
        refused(415, "wrong content type", kind)
    }

    async fn read(&self, mut body: Incoming, held: &mut Held<'_>) -> Result<Bytes, Refused> {
        let limit = self.settings.max_body;
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return refused(400, "cut off", "") };
            let Ok(data) = frame.into_data() else { continue };
            if whole.len() + data.len() > limit {
                return refused(413, "too large", format!("more than {limit} bytes"));
            }
            held.more(data.len())?;
            if whole.is_empty() && body.is_end_stream() {
                return Ok(data);
            }
            whole.extend_from_slice(&data);
        }
        Ok(whole.freeze())
    }

    fn unpacked(&self, headers: &HeaderMap, body: Bytes, held: &mut Held<'_>) -> Result<Bytes, Refused> {
        if !text(headers, &CONTENT_ENCODING).eq_ignore_ascii_case("gzip") {
            return Ok(body);
        }
        let limit = self.settings.max_body;
        match gunzip(&body, limit) {
            Ok(found) => held.more(found.len()).map(|()| found),
            Err(Unpacking::TooLarge) => {
                refused(413, "too large", format!("more than {limit} bytes when unpacked"))
            }
            Err(Unpacking::Broken(why)) => refused(400, "not gzip", why),
        }
    }

    fn kept(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        let named = |name: &String| {
            let value = headers.get(name)?.as_bytes();
            Some((name.clone(), String::from_utf8_lossy(value).into_owned()))
        };
        self.settings.kept.iter().filter_map(named).collect()
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whether a request bears the token; takes the same time wherever they differ.
fn bears(headers: &HeaderMap, token: &str) -> bool {
    let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    let Some((scheme, given)) = given.split_at_checked(7) else { return false };
    let same = given.iter().zip(token.as_bytes()).fold(0, |found, (a, b)| found | (a ^ b)) == 0;
    scheme.eq_ignore_ascii_case(b"bearer ") && given.len() == token.len() && same
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let kind = if reply.status == 200 { "application/json" } else { "text/plain; charset=utf-8" };
    let empty = reply.body.is_empty();
    let mut made = Response::new(Full::new(reply.body));
    *made.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = made.headers_mut();
    if !empty {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    match reply.status {
        401 => drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
        429 | 503 => drop(headers.insert(RETRY_AFTER, HeaderValue::from_static("1"))),
        _ => {}
    }
    made
}

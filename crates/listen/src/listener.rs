//! The listener: connections with their limits, served on a thread of its own.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::desk::{Batch, Desk, Reply};
use crate::door::Door;
use crate::settings::{ListenError, Settings};
use crate::tls;

/// Connections at one time.
const CONNECTIONS: u32 = 1024;
/// How long a connection may say nothing between two requests.
const IDLE: Duration = Duration::from_secs(75);
/// How long those that wait for an answer get one when the listener stops.
const GRACE: Duration = Duration::from_secs(1);
/// Bytes that a head may have.
const HEAD_BYTES: usize = 64 << 10;

/// A listener that serves until it is dropped.
pub struct Listener {
    desk: Arc<Desk>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Listener {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the address is taken or a certificate does not load.
    pub fn start(settings: Settings) -> Result<Listener, ListenError> {
        let acceptor = settings.tls.as_ref().map(tls::acceptor).transpose()?;
        let place = format!("{}:{}", settings.host, settings.port);
        let refused = |source| ListenError::Address { place: place.clone(), source };
        let socket = TcpListener::bind((settings.host.as_str(), settings.port)).map_err(refused)?;
        socket.set_nonblocking(true).map_err(refused)?;
        let address = socket.local_addr().map_err(refused)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(ListenError::Start)?;
        let desk = Arc::new(Desk::default());
        let (stop, stopped) = watch::channel(false);
        let house = House { head: settings.head, door: Door::new(settings, Arc::clone(&desk)), acceptor };
        let theirs = Arc::clone(&desk);
        let serve = move || {
            if let Err(error) = runtime.block_on(serve(socket, Arc::new(house), stopped)) {
                theirs.fail(error.to_string());
            }
        };
        let thread = std::thread::Builder::new().name("listener".to_owned()).spawn(serve);
        let thread = Mutex::new(Some(thread.map_err(ListenError::Start)?));
        Ok(Listener { desk, address, stop, thread })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes what has arrived, at most so many requests; waits for something at most this long.
    pub fn next(&self, most: usize, wait: Duration) -> Batch {
        self.desk.take(most, wait)
    }

    /// Answers a request.
    pub fn answer(&self, number: u64, status: u16, body: &[u8]) {
        self.desk.answer(number, Reply { status, body: Bytes::copy_from_slice(body) });
    }

    /// Takes no more; those that still wait get their answer if it comes soon.
    pub fn stop(&self) {
        self.stop.send_replace(true);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A thread that panicked has ended too.
            let _ = thread.join();
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What every connection needs.
struct House {
    head: Duration,
    door: Door,
    acceptor: Option<TlsAcceptor>,
}

async fn serve(
    socket: TcpListener,
    house: Arc<House>,
    mut stopped: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let socket = tokio::net::TcpListener::from_std(socket)?;
    let places = Arc::new(Semaphore::new(CONNECTIONS as usize));
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            found = socket.accept() => match found {
                Ok((stream, from)) => match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => drop(tokio::spawn(connection(
                        stream, from.ip(), Arc::clone(&house), stopped.clone(), place,
                    ))),
                    Err(_) => house.door.note(from.ip(), "too many connections", String::new()),
                },
                // Descriptors are short, or the sender went before it was served.
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
    }
    drop(socket);
    if timeout(GRACE, places.acquire_many(CONNECTIONS)).await.is_err() {
        house.door.abandon();
        let _ = timeout(GRACE, places.acquire_many(CONNECTIONS)).await;
    }
    Ok(())
}

async fn connection(
    stream: TcpStream,
    peer: IpAddr,
    house: Arc<House>,
    stopped: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    // Small answers go at once; without it they only come later.
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = house.acceptor.clone() else { return speak(stream, peer, house, stopped).await };
    match timeout(house.head, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => speak(stream, peer, house, stopped).await,
        Ok(Err(error)) => house.door.note(peer, "no TLS", error.to_string()),
        Err(_) => house.door.note(peer, "too slow", "handshake".to_owned()),
    }
}

async fn speak<S>(stream: S, peer: IpAddr, house: Arc<House>, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let asked = AtomicBool::new(false);
    let service = service_fn(|request| {
        asked.store(true, Ordering::Relaxed);
        let house = Arc::clone(&house);
        async move { Ok::<_, std::convert::Infallible>(house.door.answer(peer, request).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(HEAD_BYTES);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let first = sleep(house.head);
    tokio::pin!(first);
    let mut expected = true;
    let ended = loop {
        tokio::select! {
            ended = connection.as_mut() => break ended,
            () = first.as_mut(), if expected => {
                expected = false;
                if !asked.load(Ordering::Relaxed) {
                    return house.door.note(peer, "too slow", "no request".to_owned());
                }
            }
            () = told(&mut stopped) => {
                connection.as_mut().graceful_shutdown();
                break connection.await;
            }
        }
    };
    if let Err(error) = ended
        && (error.is_parse() || error.is_parse_too_large())
    {
        house.door.note(peer, "not HTTP", error.to_string());
    }
}

async fn told(stopped: &mut watch::Receiver<bool>) {
    // Whoever could tell is gone: that is the same.
    drop(stopped.wait_for(|stop| *stop).await);
}

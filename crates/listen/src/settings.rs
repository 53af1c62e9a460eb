//! What a listener needs to know, and why it may not start.

use std::path::PathBuf;
use std::time::Duration;

/// Where to listen, whom to believe, and how much to take.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name or address of this machine.
    pub host: String,
    /// Port; 0 takes a free one.
    pub port: u16,
    /// Path that is posted to.
    pub path: String,
    /// What `Authorization: Bearer …` has to say.
    pub token: Option<String>,
    /// Content types that are taken; none means all.
    pub types: Vec<String>,
    /// Names, in lower case, of the headers that whoever judges wants to see.
    pub kept: Vec<String>,
    /// Largest body in bytes, unpacked.
    pub max_body: usize,
    /// Requests a second that one address may send.
    pub rate: f64,
    /// Time for a body to arrive, and for the answer to it.
    pub timeout: Duration,
    /// Time for the first head of a connection, and for its handshake.
    pub head: Duration,
    /// Bodies that may wait for their answer.
    pub waiting: usize,
    /// Certificates, for HTTPS.
    pub tls: Option<Tls>,
}

/// Files of certificates, all PEM.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The server's certificate chain.
    pub certificate: PathBuf,
    /// Its private key; the same file when not given.
    pub key: Option<PathBuf>,
    /// Who signs client certificates, which are demanded then.
    pub client_ca: Option<PathBuf>,
}

/// Why a listener cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address cannot be had.
    #[error("cannot listen on {place}: {source}")]
    Address {
        /// Host and port.
        place: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The certificates are not usable.
    #[error("{file}: the certificate does not load: {why}")]
    Certificate {
        /// Which file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The system gives no thread or no event queue.
    #[error("the listener cannot start: {0}")]
    Start(#[source] std::io::Error),
}

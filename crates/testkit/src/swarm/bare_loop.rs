//! The least that a server can do: one thread, one epoll, a constant reply to each frame, nothing decoded. What a real
//! server spends beyond it is its own.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use tidegate_opamp::ws::{self, Event, MessageKind};

use super::poller::{EventFlags, Poller};

/// Token of the listener; sockets have those from 0 on.
const LISTENER: u64 = u64::MAX;

/// Bytes read at a time.
const SCRATCH: usize = 32 * 1024;

/// Largest handshake that is taken.
const MAX_HEAD_BYTES: usize = 8 * 1024;

/// Largest message that is taken.
const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// The loop.
#[derive(Debug)]
pub struct BareLoop {
    listener: TcpListener,
    address: SocketAddr,
    poller: Poller,
    reply: Vec<u8>,
    peers: Vec<Option<Peer>>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Peer {
    tcp: TcpStream,
    /// `None` until the handshake is done.
    reader: Option<ws::Reader>,
    head: Vec<u8>,
}

impl BareLoop {
    /// Listens on any port of 127.0.0.1; replies have so many bytes of payload.
    ///
    /// # Errors
    /// When there is no port or no epoll.
    pub fn bind(reply_bytes: usize) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        // The standard library's queue of 128 is too short for thousands who come at once.
        rustix::net::listen(&listener, 4096)?;
        let poller = Poller::new()?;
        poller.add(&listener, LISTENER, EventFlags::IN)?;
        let mut reply = Vec::new();
        ws::write_message(&mut reply, MessageKind::Binary, &payload(reply_bytes), None, || None);
        let address = listener.local_addr()?;
        Ok(Self { listener, address, poller, reply, peers: Vec::new(), free: Vec::new() })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// When waiting for sockets fails.
    pub fn run(mut self) -> io::Result<()> {
        let mut scratch = vec![0; SCRATCH];
        let mut events = Vec::new();
        loop {
            self.poller.wait(&mut events, None)?;
            for event in &events {
                match event.data.u64() {
                    LISTENER => self.accept(),
                    token => self.serve(usize::try_from(token).unwrap_or(usize::MAX), &mut scratch),
                }
            }
        }
    }

    fn accept(&mut self) {
        while let Ok((tcp, _)) = self.listener.accept() {
            let slot = self.free.pop().unwrap_or_else(|| {
                self.peers.push(None);
                self.peers.len() - 1
            });
            let ready = tcp.set_nonblocking(true).and_then(|()| tcp.set_nodelay(true));
            if ready.and_then(|()| self.poller.add(&tcp, slot as u64, EventFlags::IN)).is_ok()
                && let Some(place) = self.peers.get_mut(slot)
            {
                *place = Some(Peer { tcp, reader: None, head: Vec::new() });
            }
        }
    }

    fn serve(&mut self, slot: usize, scratch: &mut [u8]) {
        let Some(Some(peer)) = self.peers.get_mut(slot) else { return };
        if peer.read(scratch, &self.reply).is_err() {
            if let Some(place) = self.peers.get_mut(slot) {
                *place = None;
            }
            self.free.push(slot);
        }
    }
}

impl Peer {
    /// One read, one write. An error ends the peer.
    fn read(&mut self, scratch: &mut [u8], reply: &[u8]) -> io::Result<()> {
        let length = match self.tcp.read(scratch) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        let bytes = scratch.get_mut(..length).unwrap_or_default();
        match &mut self.reader {
            Some(reader) => {
                let messages = count(reader, bytes)?;
                if messages == 1 {
                    return self.tcp.write_all(reply);
                }
                self.tcp.write_all(&reply.repeat(messages))
            }
            None => self.shake_hands(bytes),
        }
    }

    fn shake_hands(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.head.extend_from_slice(bytes);
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(&self.head) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) if self.head.len() < MAX_HEAD_BYTES => return Ok(()),
            _ => return Err(ErrorKind::InvalidData.into()),
        }
        let key = request.headers.iter().find(|h| h.name.eq_ignore_ascii_case("sec-websocket-key"));
        let key = key.and_then(|header| std::str::from_utf8(header.value).ok()).unwrap_or_default();
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            ws::accept_key(key)
        );
        self.head = Vec::new();
        self.reader = Some(ws::Reader::new(ws::Role::Server, MAX_MESSAGE_BYTES));
        self.tcp.write_all(answer.as_bytes())
    }
}

/// Counts the messages that bytes complete.
fn count(reader: &mut ws::Reader, mut bytes: &mut [u8]) -> io::Result<usize> {
    let mut messages = 0;
    while !bytes.is_empty() {
        let (used, event) = reader.read(bytes).map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
        match event {
            Some(Event::Message { .. }) => messages += 1,
            Some(Event::Close(_)) => return Err(ErrorKind::UnexpectedEof.into()),
            _ => {}
        }
        bytes = bytes.get_mut(used..).unwrap_or_default();
    }
    Ok(messages)
}

/// What a server's "heard" looks like: a header and an `instance_uid`, as long as is asked for.
fn payload(bytes: usize) -> Vec<u8> {
    let uid = bytes.saturating_sub(3).min(127);
    let mut payload = vec![0, 0x0A, u8::try_from(uid).unwrap_or(0)];
    payload.resize(3 + uid, 7);
    payload
}

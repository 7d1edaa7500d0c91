//! One connection that never blocks, plain or by TLS: bytes that the peer does not take yet wait here.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustls::ClientConnection;

use super::tls::Tls;

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Got {
    /// So many bytes; there may be more.
    Bytes(usize),
    /// Nothing now.
    Nothing,
    /// The end.
    End,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Link {
    tcp: TcpStream,
    side: Side,
}

/// Where bytes wait that the socket did not take.
#[derive(Debug)]
enum Side {
    Plain(Vec<u8>),
    Tls(Box<ClientConnection>),
}

impl Link {
    /// Begins to connect from this source address, so that one address's ports do not bound the number.
    pub(super) fn dial(target: SocketAddr, source: Option<Ipv4Addr>, tls: Option<&Tls>) -> io::Result<Self> {
        let family = if target.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        if let Some(source) = source.filter(|_| target.is_ipv4()) {
            rustix::net::bind(&socket, &SocketAddrV4::new(source, 0))?;
        }
        match rustix::net::connect(&socket, &target) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        let tcp = TcpStream::from(socket);
        tcp.set_nodelay(true)?;
        let side = match tls {
            Some(tls) => Side::Tls(tls.session()?),
            None => Side::Plain(Vec::new()),
        };
        Ok(Self { tcp, side })
    }

    /// Whether the connection was made, once the socket can be written to.
    pub(super) fn outcome(&self) -> io::Result<()> {
        match self.tcp.take_error()? {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Whether bytes may be held back that the poller does not know of, so that a short read is no sign of the end.
    pub(super) const fn holds_back(&self) -> bool {
        matches!(self.side, Side::Tls(_))
    }

    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<Got> {
        match &mut self.side {
            Side::Plain(_) => got(self.tcp.read(into)),
            Side::Tls(session) => read_tls(session, &mut self.tcp, into),
        }
    }

    /// Writes what the socket takes and keeps the rest.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.side {
            Side::Plain(waiting) => {
                let taken = if waiting.is_empty() { write_some(&mut self.tcp, bytes)? } else { 0 };
                waiting.extend_from_slice(bytes.get(taken..).unwrap_or_default());
                Ok(())
            }
            Side::Tls(session) => {
                session.writer().write_all(bytes)?;
                write_tls(session, &mut self.tcp)
            }
        }
    }

    /// Writes what was kept.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match &mut self.side {
            Side::Plain(waiting) => {
                let taken = write_some(&mut self.tcp, waiting)?;
                waiting.drain(..taken);
                if waiting.is_empty() {
                    *waiting = Vec::new();
                }
                Ok(())
            }
            Side::Tls(session) => write_tls(session, &mut self.tcp),
        }
    }

    /// Whether something is kept.
    pub(super) fn wants_write(&self) -> bool {
        match &self.side {
            Side::Plain(waiting) => !waiting.is_empty(),
            Side::Tls(session) => session.wants_write(),
        }
    }

    /// Lets the end of this connection be a reset, as a host's is that loses power and comes back.
    pub(super) fn abort_at_end(&self) {
        // Where it cannot be set, the end is an ordinary one.
        let _ = rustix::net::sockopt::set_socket_linger(&self.tcp, Some(Duration::ZERO));
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.tcp.as_fd()
    }
}

fn got(read: io::Result<usize>) -> io::Result<Got> {
    match read {
        Ok(0) => Ok(Got::End),
        Ok(length) => Ok(Got::Bytes(length)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Ok(Got::Nothing)
        }
        Err(error) => Err(error),
    }
}

/// Gives what was decrypted, and decrypts what there is where nothing was.
fn read_tls(session: &mut ClientConnection, tcp: &mut TcpStream, into: &mut [u8]) -> io::Result<Got> {
    loop {
        match got(session.reader().read(into))? {
            Got::Nothing => {}
            something => return Ok(something),
        }
        match got(session.read_tls(tcp))? {
            Got::Bytes(_) => {}
            other => return Ok(other),
        }
        session.process_new_packets().map_err(io::Error::other)?;
        // The handshake answers itself.
        write_tls(session, tcp)?;
    }
}

fn write_tls(session: &mut ClientConnection, tcp: &mut TcpStream) -> io::Result<()> {
    while session.wants_write() {
        match session.write_tls(tcp) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn write_some(tcp: &mut TcpStream, mut bytes: &[u8]) -> io::Result<usize> {
    let all = bytes.len();
    while !bytes.is_empty() {
        match tcp.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(taken) => bytes = bytes.get(taken..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all - bytes.len())
}

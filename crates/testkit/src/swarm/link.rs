//! One TCP connection that never blocks: bytes that the peer does not take yet wait here.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

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
    /// What the socket did not take.
    waiting: Vec<u8>,
}

impl Link {
    /// Begins to connect from this source address, so that one address's ports do not bound the number.
    pub(super) fn dial(target: SocketAddr, source: Option<Ipv4Addr>) -> io::Result<Self> {
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
        Ok(Self { tcp, waiting: Vec::new() })
    }

    /// Whether the connection was made, once the socket can be written to.
    pub(super) fn outcome(&self) -> io::Result<()> {
        match self.tcp.take_error()? {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<Got> {
        match self.tcp.read(into) {
            Ok(0) => Ok(Got::End),
            Ok(length) => Ok(Got::Bytes(length)),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                Ok(Got::Nothing)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes what the socket takes and keeps the rest.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let taken = if self.waiting.is_empty() { write_some(&mut self.tcp, bytes)? } else { 0 };
        self.waiting.extend_from_slice(bytes.get(taken..).unwrap_or_default());
        Ok(())
    }

    /// Writes what was kept.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let taken = write_some(&mut self.tcp, &self.waiting)?;
        self.waiting.drain(..taken);
        if self.waiting.is_empty() {
            self.waiting = Vec::new();
        }
        Ok(())
    }

    /// Whether something is kept.
    pub(super) const fn wants_write(&self) -> bool {
        !self.waiting.is_empty()
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

//! The threads of the agents' plane. Each has one reactor and keeps the connections that it was given: a heartbeat is
//! read, answered and forgotten on one thread, and wakes no other. A pool that steals work wakes a second thread for
//! most of them, which costs more than the answer.

use std::io;
use std::net::TcpStream;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// Blocking calls that one thread's tasks may have under way; they are seldom made.
const MAX_BLOCKING: usize = 4;

/// Threads that serve connections until they are dropped.
#[derive(Debug)]
pub(crate) struct Workers(Vec<Worker>);

#[derive(Debug)]
struct Worker {
    handle: Handle,
    /// Ends the thread when it is dropped.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Workers {
    /// Starts as many threads as the machine has cores for this process.
    ///
    /// # Errors
    /// When a thread or its reactor cannot be made.
    pub(crate) fn start() -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        (0..cores).map(Worker::start).collect::<io::Result<_>>().map(Self)
    }

    /// What hands out work to the threads in turn.
    pub(crate) fn turns(&self) -> Turns {
        Turns { handles: self.0.iter().map(|worker| worker.handle.clone()).collect(), next: 0 }
    }

    /// Ends the threads, with whatever they still serve.
    pub(crate) fn stop(mut self) {
        for worker in &mut self.0 {
            worker.stop = None;
        }
        for worker in &mut self.0 {
            let ended = worker.thread.take().map(JoinHandle::join);
            if matches!(ended, Some(Err(_))) {
                tracing::error!("a thread of the agents' plane panicked");
            }
        }
    }
}

impl Worker {
    fn start(number: usize) -> io::Result<Self> {
        let runtime =
            Builder::new_current_thread().enable_all().max_blocking_threads(MAX_BLOCKING).build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let log = tracing::dispatcher::get_default(Clone::clone);
        let thread = thread::Builder::new().name(format!("agents-{number}")).spawn(move || {
            tracing::dispatcher::with_default(&log, || {
                // A sender that is gone means the same as one that spoke.
                let _ = runtime.block_on(stopped);
                runtime.shutdown_background();
            });
        })?;
        Ok(Self { handle, stop: Some(stop), thread: Some(thread) })
    }
}

/// The threads, one after another.
#[derive(Debug)]
pub(crate) struct Turns {
    handles: Vec<Handle>,
    next: usize,
}

impl Turns {
    /// Serves a connection on the thread whose turn it is.
    ///
    /// # Errors
    /// When the reactor that accepted it does not let it go.
    pub(crate) fn serve<F>(
        &mut self,
        stream: tokio::net::TcpStream,
        serve: impl FnOnce(tokio::net::TcpStream) -> F + Send + 'static,
    ) -> io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stream = stream.into_std()?;
        let Some(handle) = self.handles.get(self.next) else { return Ok(()) };
        self.next = (self.next + 1) % self.handles.len();
        handle.spawn(adopt(stream, serve));
        Ok(())
    }
}

/// Serves a connection that another reactor accepted.
async fn adopt<F: Future<Output = ()>>(stream: TcpStream, serve: impl FnOnce(tokio::net::TcpStream) -> F) {
    match tokio::net::TcpStream::from_std(stream) {
        Ok(stream) => serve(stream).await,
        Err(error) => tracing::warn!(%error, "a connection of an agent could not be served"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::collections::BTreeSet;
    use std::sync::mpsc;

    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};

    #[tokio::test]
    async fn given_connections_when_they_are_handed_out_then_every_thread_has_its_share_until_it_stops() {
        let workers = Workers::start().unwrap();
        let mut turns = workers.turns();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (names, served) = mpsc::channel();
        let mut peers = Vec::new();
        for _ in 0..2 * workers.0.len() {
            peers.push(TcpStream::connect(address).await.unwrap());
            let (stream, _) = listener.accept().await.unwrap();
            let names = names.clone();
            let serve = move |mut stream: TcpStream| async move {
                names.send(thread::current().name().map(str::to_owned)).unwrap();
                let _ = stream.read_u8().await;
            };
            turns.serve(stream, serve).unwrap();
        }
        let served: Vec<_> = (0..peers.len()).map(|_| served.recv().unwrap().unwrap()).collect();
        let threads: BTreeSet<_> = served.iter().collect();
        assert_eq!(threads.len(), workers.0.len(), "{served:?}");
        for thread in threads {
            assert_eq!(served.iter().filter(|name| *name == thread).count(), 2, "{served:?}");
        }

        tokio::task::spawn_blocking(|| workers.stop()).await.unwrap();
        for mut peer in peers {
            assert_eq!(peer.read(&mut [0]).await.unwrap(), 0, "its connection ends with its thread");
        }
    }
}

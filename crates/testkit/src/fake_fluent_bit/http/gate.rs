//! Opens the monitoring server's port, and keeps it as the control file wants it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::serve::serve;
use super::{Backend, Door};
use crate::fake_fluent_bit::control::{HttpFault, millis};

/// How often the control file is looked at.
const LOOK: Duration = Duration::from_millis(25);

/// The monitoring server of one engine. Dropping it closes the port.
#[derive(Debug)]
pub struct Gate {
    door: Arc<Mutex<Option<Door>>>,
    ending: Arc<AtomicBool>,
    keeper: Option<thread::JoinHandle<()>>,
}

impl Gate {
    /// Listens at once, unless the control file wants it late or never.
    ///
    /// # Errors
    /// When the address cannot be bound, and the control file does not ask to lie about that.
    pub fn open(listen: &str, port: u16, backend: &Arc<dyn Backend>) -> io::Result<Self> {
        let began = Instant::now();
        let first = if wanted(backend.as_ref(), began) { open_door(listen, port, backend) } else { Ok(None) };
        let door = Arc::new(Mutex::new(first?));
        let ending = Arc::new(AtomicBool::new(false));
        let keeper = if backend.control().is_named() {
            let (door, ending) = (Arc::clone(&door), Arc::clone(&ending));
            let (listen, backend) = (listen.to_owned(), Arc::clone(backend));
            let keep = move || {
                while !ending.load(Ordering::SeqCst) {
                    let wanted = wanted(backend.as_ref(), began);
                    let mut door = door.lock();
                    if !wanted {
                        drop(door.take());
                    } else if door.is_none() {
                        *door = open_door(&listen, port, &backend).unwrap_or_default();
                    }
                    drop(door);
                    thread::sleep(LOOK);
                }
            };
            Some(thread::Builder::new().name("gate".to_owned()).spawn(keep)?)
        } else {
            None
        };
        Ok(Self { door, ending, keeper })
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        if let Some(keeper) = self.keeper.take() {
            drop(keeper.join());
        }
        drop(self.door.lock().take());
    }
}

fn wanted(backend: &dyn Backend, began: Instant) -> bool {
    match backend.control().current().http {
        HttpFault::Refuse => false,
        HttpFault::Late(wait) => began.elapsed() >= millis(wait),
        HttpFault::Normal
        | HttpFault::Silent
        | HttpFault::SlowDrip
        | HttpFault::Malformed
        | HttpFault::Huge
        | HttpFault::HugeMetrics => true,
    }
}

/// A door, or none where the control file lies about a taken port.
fn open_door(listen: &str, port: u16, backend: &Arc<dyn Backend>) -> io::Result<Option<Door>> {
    let serving = Arc::clone(backend);
    let opened = Door::open(listen, port, Arc::new(move |stream| serve(stream, serving.as_ref())));
    match opened {
        Ok(door) => Ok(Some(door)),
        Err(_) if backend.control().current().port_lie => Ok(None),
        Err(error) => Err(error),
    }
}

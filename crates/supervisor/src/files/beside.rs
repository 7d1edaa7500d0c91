//! Questions to file systems that may never answer, each on a thread of its own.
//!
//! A thread that asks a dead file system hangs until that answers or the program ends, and nothing takes it back. So it
//! is none of tokio's, on which names are resolved as well, and nobody may have many of them.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::{sync::oneshot, time::timeout};

/// How long a file system may take to answer before it counts as one that never will.
pub const IN_TIME: Duration = Duration::from_secs(10);

/// How many questions of one asker may be without an answer before it is to wait.
const FREE: usize = 8;

/// All questions without an answer.
static ASKED: Mutex<Vec<Asked>> = Mutex::new(Vec::new());

/// Tells one question from the next.
static NUMBER: AtomicU64 = AtomicU64::new(0);

struct Asked {
    number: u64,
    whose: PathBuf,
    since: Instant,
}

/// A question under way; it is answered, or failed, when this goes.
struct Open(u64);

impl Open {
    /// `None` when the asker has asked enough.
    fn new(whose: &Path) -> Option<Self> {
        let mut asked = ASKED.lock();
        let ages: Vec<Duration> =
            asked.iter().filter(|other| other.whose == whose).map(|other| other.since.elapsed()).collect();
        if !may_ask(&ages) {
            return None;
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        asked.push(Asked { number, whose: whose.to_owned(), since: Instant::now() });
        Some(Self(number))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        ASKED.lock().retain(|asked| asked.number != self.0);
    }
}

/// Whether another question may be asked, by the ages of those without an answer. Beyond the free ones the pause grows
/// with the time for which the oldest has none: a year brings less than twenty more, and what was mended is noticed all
/// the same.
fn may_ask(ages: &[Duration]) -> bool {
    let oldest = ages.iter().max().copied().unwrap_or_default();
    let newest = ages.iter().min().copied().unwrap_or_default();
    ages.len() < FREE || newest * 2 >= oldest
}

/// Does something with files beside everything else and gives where its result comes; `None` when too much of what this
/// asker has asked is without an answer. `whose` is any path that stands for the asker, such as its state folder.
pub fn beside<T: Send + 'static>(
    whose: &Path,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<oneshot::Receiver<T>> {
    let open = Open::new(whose)?;
    let (reply, answer) = oneshot::channel();
    let asking = move || {
        let done = work();
        drop(open);
        // Whoever asked may have given up.
        let _ = reply.send(done);
    };
    thread::Builder::new().name("files".to_owned()).spawn(asking).ok()?;
    Some(answer)
}

/// As [`beside`], and waits for it, at most [`IN_TIME`]; `None` when that was not enough, or too much hangs already. What
/// hangs goes on hanging until its file system answers or the program ends.
pub async fn in_time<T: Send + 'static>(
    whose: &Path,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    timeout(IN_TIME, beside(whose, work)?).await.ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Something that hangs until the sender is dropped.
    fn hang(whose: &Path) -> (mpsc::Sender<()>, Option<oneshot::Receiver<()>>) {
        let (release, hold) = mpsc::channel::<()>();
        let answer = beside(whose, move || hold.recv().unwrap_or_default());
        (release, answer)
    }

    #[test]
    fn given_what_hangs_when_more_is_asked_then_only_that_asker_waits_until_something_is_answered() {
        let (dead, alive) = (Path::new("/test/dead"), Path::new("/test/alive"));
        let mut hanging: Vec<_> = (0..FREE).map(|_| hang(dead)).collect();
        assert!(hanging.iter().all(|(_, answer)| answer.is_some()));
        // The first is milliseconds old, so the pause may be over as soon; it grows with each that hangs.
        std::thread::sleep(Duration::from_millis(50));
        let mut refused = false;
        for _ in 0..64 {
            let next = hang(dead);
            refused |= next.1.is_none();
            hanging.push(next);
        }
        assert!(refused && hanging.iter().filter(|(_, answer)| answer.is_some()).count() < FREE + 10);
        assert_eq!(beside(alive, || 7).unwrap().blocking_recv(), Ok(7));
        for (release, answer) in hanging {
            drop(release);
            let _ = answer.map(oneshot::Receiver::blocking_recv);
        }
        assert_eq!(beside(dead, || 7).unwrap().blocking_recv(), Ok(7));
    }

    #[test]
    fn given_years_without_an_answer_when_asked_every_minute_then_few_questions_are_open() {
        let minute = Duration::from_secs(60);
        let mut asked: Vec<Duration> = Vec::new();
        for now in (0..2 * 365 * 24 * 60).map(|minutes| minute * minutes) {
            let ages: Vec<_> = asked.iter().map(|at| now.saturating_sub(*at)).collect();
            if may_ask(&ages) {
                asked.push(now);
            }
        }
        assert!((FREE..FREE + 20).contains(&asked.len()), "{}", asked.len());
        // It never stops asking altogether.
        assert!(asked.last().is_some_and(|last| *last > minute * 365 * 24 * 30), "{asked:?}");
    }

    /// A runtime whose every thread for what blocks is taken up resolves no names; what hangs here takes none.
    #[test]
    fn given_files_that_hang_when_a_name_is_resolved_then_there_is_a_thread_for_it() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        let (release, hold) = mpsc::channel::<()>();
        runtime.block_on(async {
            let hanging = in_time(Path::new("/test/names"), move || hold.recv().unwrap_or_default());
            let mut hanging = Box::pin(hanging);
            let begun = timeout(Duration::from_millis(20), &mut hanging).await;
            assert!(begun.is_err(), "it does not hang");
            let resolved = timeout(Duration::from_secs(5), tokio::net::lookup_host("localhost:1")).await;
            assert!(resolved.unwrap().unwrap().count() > 0);
            drop(release);
            assert_eq!(hanging.await, Some(()));
        });
    }
}

//! The loop that drives a swarm: one thread, one poller, one heap of timers.

mod conn;
mod dial;
mod doing;
mod traffic;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::io;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use self::conn::{Conn, Peer, Timer, What, token};
use self::doing::Doing;
use super::agent::World;
use super::load::Load;
use super::options::{Options, Scheme};
use super::poller::{Event, EventFlags, Poller};
use super::random::Random;
use super::report::{Done, Tally};
use super::tls::Tls;
use super::wire::Target;

/// Bytes read at a time.
const SCRATCH: usize = 64 * 1024;

/// Longest sleep: commands are looked for this often.
const TICK: Duration = Duration::from_millis(10);

/// Longest sleep while messages are sent at a rate.
const BUSY_TICK: Duration = Duration::from_millis(1);

/// A swarm.
pub struct Swarm {
    options: Options,
    wire: Target,
    tls: Option<Tls>,
    world: World,
    poller: Poller,
    conns: Vec<Conn>,
    peers: Vec<Peer>,
    timers: BinaryHeap<Reverse<Timer>>,
    to_dial: VecDeque<u32>,
    dialling: usize,
    /// Agents whose connections are to stay.
    staying: u64,
    /// Agents that were answered on their present connection.
    answered: u64,
    tally: Tally,
    random: Random,
    scratch: Vec<u8>,
    out: Vec<u8>,
    begun: Instant,
    /// The place in the order in which a rate goes over the agents.
    turn: u64,
}

impl Swarm {
    /// A swarm without agents.
    ///
    /// # Errors
    /// When the machine has no epoll to give, or the authorities to trust cannot be read.
    pub fn new(options: Options) -> io::Result<Self> {
        let host = options.authority.rsplit_once(':').map_or(&*options.authority, |(host, _)| host);
        let tls = options.trust.as_ref().map(|trust| Tls::new(trust, host.trim_matches(['[', ']'])));
        let tls = tls.transpose().map_err(io::Error::other)?;
        let wire = Target {
            authority: options.authority.clone(),
            path: options.path.clone(),
            token: options.token.clone(),
        };
        let world =
            World { load: Load::new(options.seed), behaviour: options.behaviour, offers: HashMap::new() };
        Ok(Self {
            wire,
            tls,
            world,
            poller: Poller::new()?,
            conns: Vec::new(),
            peers: Vec::new(),
            timers: BinaryHeap::new(),
            to_dial: VecDeque::new(),
            dialling: 0,
            staying: 0,
            answered: 0,
            tally: Tally::default(),
            random: Random::new(options.seed, 0x5157),
            scratch: vec![0; SCRATCH],
            out: Vec::with_capacity(SCRATCH),
            begun: Instant::now(),
            turn: 0,
            options,
        })
    }

    /// Obeys commands until `quit` or until there are no more; says when each is done.
    ///
    /// # Errors
    /// When waiting for sockets fails.
    pub fn run(mut self, commands: &Receiver<String>, mut say: impl FnMut(&Done)) -> io::Result<()> {
        let mut doing: Option<Doing> = None;
        let mut events = Vec::new();
        loop {
            self.fire_timers();
            self.dial_waiting();
            if let Some(current) = &mut doing
                && let Some(result) = self.progress(current)
            {
                say(&self.done(current, result));
                if current.quits() {
                    return Ok(());
                }
                doing = None;
            }
            if doing.is_none() {
                doing = match commands.try_recv() {
                    Ok(line) => Some(Doing::begin(line, &mut self)),
                    Err(TryRecvError::Empty) => None,
                    Err(TryRecvError::Disconnected) => return Ok(()),
                };
            }
            let most = match &doing {
                Some(doing) if doing.is_busy() => BUSY_TICK,
                _ => TICK,
            };
            self.poller.wait(&mut events, Some(self.sleep(most)))?;
            for event in &events {
                self.handle(event);
            }
        }
    }

    fn done(&self, doing: &Doing, result: Result<(), String>) -> Done {
        Done {
            command: doing.line().to_owned(),
            ok: result.is_ok(),
            why: result.err().unwrap_or_default(),
            seconds: doing.seconds(),
            report: self.tally.report(self.staying, self.answered),
        }
    }

    /// Microseconds since the swarm began.
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn sleep(&self, most: Duration) -> Duration {
        let due = self.timers.peek().map_or(u64::MAX, |Reverse(timer)| timer.at);
        Duration::from_micros(due.saturating_sub(self.now())).min(most)
    }

    fn after(&mut self, delay: Duration, what: What) {
        let delay = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
        self.timers.push(Reverse(Timer { at: self.now().saturating_add(delay), what }));
    }

    fn fire_timers(&mut self) {
        let now = self.now();
        while let Some(Reverse(timer)) = self.timers.peek().copied().filter(|Reverse(timer)| timer.at <= now)
        {
            self.timers.pop();
            match timer.what {
                What::Due(agent, due) => self.remind(agent, due),
                What::Beat(agent, rhythm) => self.beat(agent, rhythm),
                What::Speak(agent) => self.speak_again(agent),
                What::Redial(slot) => self.to_dial.push_back(slot),
                What::Deadline(slot, generation) => self.deadline(slot, generation),
            }
        }
    }

    fn handle(&mut self, event: &Event) {
        let (data, flags) = (event.data.u64(), event.flags);
        #[expect(clippy::cast_possible_truncation, reason = "a token is two halves")]
        let (slot, generation) = (data as u32, (data >> 32) as u32);
        let Some(conn) = self.conns.get_mut(slot as usize).filter(|conn| conn.generation == generation)
        else {
            return;
        };
        if matches!(conn.stage, conn::Stage::Connecting) {
            return self.connected(slot);
        }
        if flags.contains(EventFlags::OUT)
            && let Some(link) = &mut conn.link
            && let Err(error) = link.flush()
        {
            return self.lost(slot, &error.to_string());
        }
        if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            self.read(slot);
        }
        self.watch(slot);
    }

    /// Looks for room to write exactly while something waits to be written.
    fn watch(&mut self, slot: u32) {
        let Some(conn) = self.conns.get_mut(slot as usize) else { return };
        let Some(link) = conn.link.as_ref().filter(|link| link.wants_write() != conn.watches_write) else {
            return;
        };
        let flags = if conn.watches_write { EventFlags::IN } else { EventFlags::IN | EventFlags::OUT };
        conn.watches_write = !conn.watches_write;
        if let Err(error) = self.poller.change(link, token(slot, conn.generation), flags) {
            self.lost(slot, &error.to_string());
        }
    }

    const fn polls(&self) -> bool {
        matches!(self.options.scheme, Scheme::Http)
    }
}

/// Nanoseconds since 1970.
fn unix_nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

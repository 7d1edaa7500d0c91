//! The last two samples of one agent, and the points since its last block, in a few hundred bytes.

use std::sync::Arc;
use std::time::Duration;

use tidegate_custom::metrics::{Counters, Digest, Life};
use tidegate_opamp::InstanceUid;

use super::point::{self, Block, Point};
use super::{code, covered, increase, sum};
use crate::Timestamp;

/// The least time between two samples; who sends faster is not heard.
const SPACING: Duration = Duration::from_secs(5);

/// Spans are joined until they are about a minute long, in seconds.
const POINT: u64 = 75;

/// Points that make a block.
const BLOCK_POINTS: u8 = 5;

/// Bytes that make a block, whatever the number of its points.
const BLOCK_BYTES: usize = 1024;

/// A point of more bytes is not kept: an agent whose components count so much would push the others' history out.
const POINT_BYTES: usize = 4096;

/// A digest that came too soon after another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSoon;

/// The samples of one agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples {
    /// The components' names, one a line; of the older sample too.
    names: Arc<[u8]>,
    newest: Sample,
    before: Option<Sample>,
    /// Points that are in no block yet.
    points: Points,
    left_out: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Sample {
    at: Timestamp,
    reloads: u64,
    pid: u32,
    uptime: u32,
    every: u32,
    /// The counters, encoded.
    counters: Box<[u8]>,
}

/// Encoded points. Boxed to their size: agents are many and add one a minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Points {
    from: Timestamp,
    to: Timestamp,
    bytes: Box<[u8]>,
    /// Where the last one begins, for it may grow.
    last: u16,
    count: u8,
}

/// What is known of an agent's components at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    /// When the newest digest came.
    pub at: Timestamp,
    /// Within which its counters rise.
    pub life: Life,
    /// For how long its config had run, in seconds; 0 when that is not known.
    pub uptime: u64,
    /// The interval of digests, in seconds; 0 when the agent does not say.
    pub every: u64,
    /// The seconds between it and the one before, where the two can be compared.
    pub seconds: Option<u64>,
    /// Components: name, counters as they stand, what came since the digest before.
    pub components: Vec<(String, Counters, Counters)>,
    /// Components that the agent has beyond those.
    pub left_out: u64,
}

impl Samples {
    /// Takes a digest into an agent's samples, `None` for its first one. Gives what is to be written to the history: the
    /// points so far, once they make a block or their names are others.
    ///
    /// # Errors
    /// [`TooSoon`]; nothing has changed then.
    pub fn take(
        slot: &mut Option<Box<Self>>,
        agent: InstanceUid,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<Block>, TooSoon> {
        let names = code::join(digest.components.keys());
        let sample = Sample::of(digest, now);
        let Some(samples) = slot else {
            *slot = Some(Box::new(Self {
                names: names.into(),
                newest: sample,
                before: None,
                points: Points::default(),
                left_out: u32::try_from(digest.left_out).unwrap_or(u32::MAX),
            }));
            return Ok(None);
        };
        if now < samples.newest.at {
            // The clock was set back: what follows stands in no order to what was.
            let done = samples.hand_over(agent);
            *slot = None;
            Self::take(slot, agent, digest, now)?;
            return Ok(done);
        }
        if now.since(samples.newest.at) < SPACING {
            return Err(TooSoon);
        }
        samples.left_out = u32::try_from(digest.left_out).unwrap_or(u32::MAX);
        let mut done = None;
        if *samples.names != *names {
            done = samples.hand_over(agent);
            let aligned = samples.newest.aligned(&samples.names, digest);
            samples.newest.counters = aligned;
            samples.names = names.into();
        }
        let before = std::mem::replace(&mut samples.newest, sample);
        samples.before = Some(before);
        if let Some(point) = samples.point() {
            let count = samples.count();
            let joined = samples.points.joined(&point, count);
            if joined.is_none() && samples.points.is_block() {
                done = samples.hand_over(agent);
            }
            samples.points.add(point, joined);
        }
        Ok(done)
    }

    /// The points that are in no block yet, as one, which they leave.
    pub fn hand_over(&mut self, agent: InstanceUid) -> Option<Block> {
        let block = self.pending(agent);
        self.points = Points::default();
        block
    }

    /// The points that are in no block yet.
    #[must_use]
    pub fn pending(&self, agent: InstanceUid) -> Option<Block> {
        let Points { from, to, bytes, count, .. } = &self.points;
        (*count > 0).then(|| Block {
            agent,
            from: *from,
            to: *to,
            names: Arc::clone(&self.names),
            points: bytes.clone(),
        })
    }

    /// Lets equal names of many agents be one: `share` gives the one copy of its argument.
    pub fn share_names(&mut self, share: impl FnOnce(&Arc<[u8]>) -> Arc<[u8]>) {
        self.names = share(&self.names);
    }

    /// The components' names, one a line.
    #[must_use]
    pub const fn names(&self) -> &Arc<[u8]> {
        &self.names
    }

    /// Bytes that this takes, the names apart, which agents have in common.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.newest.counters.len()
            + self.before.as_ref().map_or(0, |before| before.counters.len())
            + self.points.bytes.len()
    }

    /// What is known at this moment.
    #[must_use]
    pub fn latest(&self) -> Latest {
        let count = self.count();
        let counters = self.newest.row(count);
        let point = self.point();
        let rises = point.as_ref().map_or_else(Vec::new, |point| point.counters.clone());
        let rises = rises.into_iter().chain(std::iter::repeat(Counters::default()));
        Latest {
            at: self.newest.at,
            life: self.newest.life(),
            uptime: u64::from(self.newest.uptime),
            every: u64::from(self.newest.every),
            seconds: point.map(|point| point.seconds),
            components: code::names(&self.names)
                .map(ToOwned::to_owned)
                .zip(counters)
                .zip(rises)
                .map(|((name, counters), rise)| (name, counters, rise))
                .collect(),
            left_out: u64::from(self.left_out),
        }
    }

    fn count(&self) -> usize {
        code::count(&self.names)
    }

    /// From the older sample to the newer one; `None` where they cannot be compared.
    fn point(&self) -> Option<Point> {
        let (now, before) = (&self.newest, self.before.as_ref()?);
        let same_life = now.life() == before.life();
        let passed = now.at.since(before.at).as_millis();
        let passed = u64::try_from((passed + 500) / 1000).unwrap_or(u64::MAX);
        let seconds = covered(passed, u64::from(now.every), same_life, u64::from(now.uptime))?;
        let count = self.count();
        let rises = now.row(count).into_iter().zip(before.row(count));
        let counters = rises.map(|(now, before)| increase(&now, &before, same_life)).collect();
        Some(Point { to: now.at, seconds, counters })
    }
}

impl Sample {
    fn of(digest: &Digest, at: Timestamp) -> Self {
        let mut counters = Vec::with_capacity(digest.components.len() * 12);
        code::put_row(&mut counters, digest.components.values());
        let Life { pid, reloads } = digest.life();
        Self {
            at,
            reloads,
            pid,
            uptime: u32::try_from(digest.uptime).unwrap_or(u32::MAX),
            every: u32::try_from(digest.every).unwrap_or(u32::MAX),
            counters: counters.into(),
        }
    }

    const fn life(&self) -> Life {
        Life { pid: self.pid, reloads: self.reloads }
    }

    fn row(&self, count: usize) -> Vec<Counters> {
        code::take_row(&mut &*self.counters, count).unwrap_or_default()
    }

    /// Its counters in the order of another digest's components; one that was not in it had counted nothing.
    fn aligned(&self, names: &[u8], digest: &Digest) -> Box<[u8]> {
        let row = self.row(code::count(names));
        let known: std::collections::BTreeMap<&str, Counters> = code::names(names).zip(row).collect();
        let mut counters = Vec::new();
        let of = |name: &String| known.get(name.as_str()).copied().unwrap_or_default();
        let row: Vec<Counters> = digest.components.keys().map(of).collect();
        code::put_row(&mut counters, &row);
        counters.into()
    }
}

impl Points {
    const fn is_block(&self) -> bool {
        self.count >= BLOCK_POINTS || self.bytes.len() >= BLOCK_BYTES
    }

    /// The last point and this one as one, where it follows without a gap and both are short.
    fn joined(&self, point: &Point, components: usize) -> Option<Point> {
        let begins = point.to.0.saturating_sub(point.seconds.saturating_mul(1000));
        let mut last = self.bytes.get(usize::from(self.last)..)?;
        let last = point::take(&mut last, self.from, components)?;
        let follows = begins.saturating_sub(last.to.0) < 2000 && last.seconds + point.seconds <= POINT;
        follows.then(|| Point {
            to: point.to,
            seconds: last.seconds + point.seconds,
            counters: last.counters.iter().zip(&point.counters).map(|(a, b)| sum(a, b)).collect(),
        })
    }

    /// Adds a point, or puts the joined one in the place of the last.
    fn add(&mut self, point: Point, joined: Option<Point>) {
        let mut bytes = std::mem::take(&mut self.bytes).into_vec();
        if self.count == 0 {
            let begins = point.to.0.saturating_sub(point.seconds.saturating_mul(1000));
            self.from = Timestamp(begins / 1000 * 1000);
        }
        match &joined {
            Some(_) => bytes.truncate(usize::from(self.last)),
            None => self.count += 1,
        }
        let (place, point) = (bytes.len(), joined.unwrap_or(point));
        point::put(&mut bytes, self.from, &point);
        if bytes.len() - place > POINT_BYTES {
            bytes.truncate(place);
            self.count -= 1;
        }
        self.last = u16::try_from(place).unwrap_or(u16::MAX);
        self.to = point.to;
        self.bytes = bytes.into();
    }
}

//! How many bytes of messages are in work at once, from and to all agents together. What is charged: bodies and frames
//! as they arrive, what they inflate and decode to, and large answers until they are written.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is charged at a time.
const UNIT: usize = 1024;

/// What counts as small: messages of up to so many bytes have room of their own, so that a few large ones that come
/// slowly keep no heartbeat out.
pub(crate) const SMALL: usize = 32 * 1024;

/// The part of the budget that is for small messages.
const SMALL_PART: usize = 8;

/// How long a message waits for room before it is refused.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);

/// The bytes that may be in work.
#[derive(Debug)]
pub(crate) struct Budget {
    small: Pool,
    large: Pool,
}

#[derive(Debug)]
struct Pool {
    free: Arc<Semaphore>,
    units: u32,
}

/// Bytes that are in work; they are free again when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Charge {
    permit: Option<OwnedSemaphorePermit>,
    large: bool,
}

/// There was no room in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more messages are in work than this server has memory for")]
pub(crate) struct Exhausted;

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { small: Pool::new(bytes / SMALL_PART), large: Pool::new(bytes - bytes / SMALL_PART) }
    }

    /// Takes room for so many bytes. More than there is in all counts as all there is.
    pub(crate) async fn charge(&self, bytes: usize, patience: Duration) -> Result<Charge, Exhausted> {
        let mut charge = Charge::default();
        self.grow(&mut charge, bytes, patience).await?;
        Ok(charge)
    }

    /// Takes what a charge lacks to so many bytes. When there is no room in time, it stays as it was.
    pub(crate) async fn grow(
        &self,
        charge: &mut Charge,
        bytes: usize,
        patience: Duration,
    ) -> Result<(), Exhausted> {
        let large = charge.large || bytes > SMALL;
        let pool = if large { &self.large } else { &self.small };
        let held = if charge.large == large { charge.units() } else { 0 };
        let missing = units(bytes).min(pool.units).saturating_sub(held);
        if missing == 0 {
            return Ok(());
        }
        let permit = pool.take(missing, patience).await?;
        match &mut charge.permit {
            Some(permits) if charge.large == large => permits.merge(permit),
            _ => *charge = Charge { permit: Some(permit), large },
        }
        Ok(())
    }
}

impl Pool {
    fn new(bytes: usize) -> Self {
        let units = units(bytes).clamp(1, u32::MAX >> 4);
        let permits = usize::try_from(units).unwrap_or(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(permits)), units }
    }

    async fn take(&self, units: u32, patience: Duration) -> Result<OwnedSemaphorePermit, Exhausted> {
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_many_owned(units) {
            return Ok(permit);
        }
        let waiting = Box::pin(Arc::clone(&self.free).acquire_many_owned(units));
        tokio::time::timeout(patience, waiting).await.ok().and_then(Result::ok).ok_or(Exhausted)
    }
}

impl Charge {
    /// Gives back what it has beyond so many bytes.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        if bytes == 0 {
            *self = Self::default();
            return;
        }
        let surplus = self.units().saturating_sub(units(bytes));
        if let Some(permit) = &mut self.permit {
            drop(permit.split(usize::try_from(surplus).unwrap_or(0)));
        }
    }

    fn units(&self) -> u32 {
        let units = self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        u32::try_from(units).unwrap_or(u32::MAX)
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    fn free(budget: &Budget) -> (usize, usize) {
        (budget.small.free.available_permits(), budget.large.free.available_permits())
    }

    #[tokio::test]
    async fn given_a_budget_when_it_is_used_up_then_the_next_waits_and_is_refused_or_gets_what_is_given_back()
    {
        let budget = Arc::new(Budget::new(800 * UNIT));
        assert_eq!(free(&budget), (100, 700));
        let mut first = budget.charge(600 * UNIT, SHORT).await.unwrap();
        assert_eq!(budget.charge(101 * UNIT, SHORT).await.unwrap_err(), Exhausted);
        budget.grow(&mut first, 700 * UNIT, SHORT).await.unwrap();
        assert_eq!(
            budget.grow(&mut first, 900 * UNIT, SHORT).await,
            Ok(()),
            "all there is, is all it can have"
        );
        let waiting = Arc::clone(&budget);
        let waiting = tokio::spawn(async move { waiting.charge(40 * UNIT, Duration::from_secs(10)).await });
        tokio::task::yield_now().await;
        first.shrink(660 * UNIT);
        let second = waiting.await.unwrap().unwrap();
        assert_eq!((first.units(), second.units(), free(&budget)), (660, 40, (100, 0)));
        first.shrink(0);
        drop((first, second));
        assert_eq!(free(&budget), (100, 700));
        drop(budget.charge(10_000 * UNIT, SHORT).await.unwrap());
    }

    #[tokio::test]
    async fn given_large_messages_that_use_all_their_room_when_small_ones_come_then_there_is_room_for_them() {
        let budget = Budget::new(800 * UNIT);
        let large = budget.charge(700 * UNIT, SHORT).await.unwrap();
        let mut small = budget.charge(SMALL, SHORT).await.unwrap();
        assert_eq!(free(&budget), (68, 0));
        assert_eq!(
            budget.grow(&mut small, SMALL + 1, SHORT).await,
            Err(Exhausted),
            "it is not small any more"
        );
        assert_eq!(small.units(), 32, "it keeps what it had");
        drop(large);
        budget.grow(&mut small, SMALL + 1, SHORT).await.unwrap();
        assert_eq!(free(&budget), (100, 667));
        small.shrink(UNIT);
        assert_eq!(free(&budget), (100, 699), "what was large stays among the large");
    }
}

//! A file of which the disk holds what was synced, and programs see what was written.

/// What of a write is written at once; a write that is cut short ends between two of these.
const SECTOR: usize = 512;

/// Numbers that look random and are the same for one seed.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        (mixed ^ (mixed >> 33)) % end
    }
}

/// What becomes of writes that were not synced when the power is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// None of them reached the disk.
    Lost,
    /// All of them did.
    Kept,
    /// Some did, in any order, and some of those in part.
    Torn,
}

#[derive(Clone, Debug)]
pub(super) enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
    Gone,
}

/// A file as programs see it, and as it is on the disk.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    /// `None` when there is none.
    pub(super) seen: Option<Vec<u8>>,
    pub(super) synced: Option<Vec<u8>>,
    /// From `synced` to `seen`.
    changes: Vec<Change>,
}

fn apply(content: &mut Option<Vec<u8>>, change: &Change, sectors: impl FnMut() -> bool) {
    match change {
        Change::Gone => *content = None,
        Change::Length(length) => content.get_or_insert_default().resize(*length, 0),
        Change::Write { offset, bytes } => write(content.get_or_insert_default(), *offset, bytes, sectors),
    }
}

/// Writes the sectors that are chosen.
fn write(content: &mut Vec<u8>, offset: usize, bytes: &[u8], mut sectors: impl FnMut() -> bool) {
    let mut from = 0;
    while from < bytes.len() {
        let to = bytes.len().min((offset + from) / SECTOR * SECTOR + SECTOR - offset);
        if sectors() {
            if content.len() < offset + to {
                content.resize(offset + to, 0);
            }
            content[offset + from..offset + to].copy_from_slice(&bytes[from..to]);
        }
        from = to;
    }
}

impl File {
    pub(super) fn change(&mut self, change: Change) {
        apply(&mut self.seen, &change, || true);
        self.changes.push(change);
    }

    pub(super) fn sync(&mut self) {
        self.synced.clone_from(&self.seen);
        self.changes.clear();
    }

    pub(super) fn lose(&mut self, fate: Fate, dice: &mut Dice) {
        match fate {
            Fate::Kept => self.synced.clone_from(&self.seen),
            Fate::Lost => {}
            Fate::Torn => {
                for change in std::mem::take(&mut self.changes) {
                    match dice.below(4) {
                        0 => {}
                        1 => apply(&mut self.synced, &change, || dice.below(2) == 0),
                        _ => apply(&mut self.synced, &change, || true),
                    }
                }
            }
        }
        self.seen.clone_from(&self.synced);
        self.changes.clear();
    }
}

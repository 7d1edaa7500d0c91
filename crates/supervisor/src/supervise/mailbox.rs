//! Orders that wait while the task is busy. A stop overtakes; restarts become one; of two offers the newer is kept
//! (hard-cases.md, 21 and 25).

use std::{collections::VecDeque, future::pending, time::Duration};

use tidegate_opamp::{AgentRemoteConfig, InstanceUid};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};

use crate::agent::{AgentCommand, OwnOffer, Question};

/// Most hashes of replaced offers that still get their answer.
const REPLACED_LIMIT: usize = 16;

/// Most questions that wait.
const QUESTIONS: usize = 8;

/// How long a release waits for what is at work: most of it comes to its end by then. What does not is broken off, as by a
/// stop, and taken up again by whom the process is released to.
const RELEASE_PATIENCE: Duration = Duration::from_secs(15);

/// What to do next.
#[derive(Debug)]
pub(super) enum Order {
    /// Restart the process.
    Restart,
    /// Apply an offer.
    Apply(AgentRemoteConfig),
    /// Say that an offer of this hash was replaced by a newer one.
    Replaced(bytes::Bytes),
    /// Send own telemetry as offered.
    OwnTelemetry(Box<OwnOffer>),
    /// The agent has another uid.
    Renamed(InstanceUid),
    /// Find something out.
    Answer(Question),
}

/// What ends the task.
#[derive(Debug)]
pub(super) enum End {
    /// Stop the process, then answer.
    Stop(oneshot::Sender<()>),
    /// Leave the process alone: nobody commands it any more.
    Leave,
    /// Leave the process to the next supervisor, then answer.
    Release(oneshot::Sender<()>),
}

/// What can be done about an agent as well when its supervision begins later.
#[derive(Debug, Default)]
pub(super) struct Later {
    own: Option<Box<OwnOffer>>,
    /// The uid that the agent has by now.
    pub(super) renamed: Option<InstanceUid>,
}

impl Later {
    /// Notes an offer of own telemetry; what it leaves out of one that waits is kept.
    pub(super) fn offer(&mut self, offer: Box<OwnOffer>) {
        self.own = Some(offer.over(self.own.take()));
    }
}

/// The receiving end of the commands.
#[derive(Debug)]
pub(super) struct Mailbox {
    commands: mpsc::Receiver<AgentCommand>,
    restart: bool,
    offer: Option<AgentRemoteConfig>,
    replaced: Vec<bytes::Bytes>,
    later: Later,
    /// Whoever wants the process released, and until when that may wait.
    release: Option<(Instant, oneshot::Sender<()>)>,
    questions: VecDeque<Question>,
}

impl Mailbox {
    pub(super) const fn new(commands: mpsc::Receiver<AgentCommand>, later: Later) -> Self {
        Self {
            commands,
            restart: false,
            offer: None,
            replaced: Vec::new(),
            later,
            release: None,
            questions: VecDeque::new(),
        }
    }

    /// Puts an offer in front as if it had just arrived.
    pub(super) fn push(&mut self, offer: AgentRemoteConfig) {
        // One that is offered again is not replaced: it gets the answer of its last offer, and no other.
        self.replaced.retain(|hash| *hash != offer.config_hash);
        let hash = offer.config_hash.clone();
        if let Some(older) = self.offer.replace(offer)
            && older.config_hash != hash
        {
            self.answer_replaced(older.config_hash);
        }
    }

    fn answer_replaced(&mut self, hash: bytes::Bytes) {
        if self.replaced.len() < REPLACED_LIMIT {
            self.replaced.push(hash);
        }
    }

    /// The next order that waits, if one does; a restart only when it may be made now.
    pub(super) fn take_if(&mut self, may_restart: bool) -> Option<Order> {
        if !self.replaced.is_empty() {
            return Some(Order::Replaced(self.replaced.remove(0)));
        }
        if let Some(question) = self.questions.pop_front() {
            return Some(Order::Answer(question));
        }
        if may_restart && std::mem::take(&mut self.restart) {
            return Some(Order::Restart);
        }
        if let Some(uid) = self.later.renamed.take() {
            return Some(Order::Renamed(uid));
        }
        if let Some(offer) = self.offer.take() {
            return Some(Order::Apply(offer));
        }
        self.later.own.take().map(Order::OwnTelemetry)
    }

    /// Whoever wants the process released. What waits is left to whom it is released to: an offer is offered again.
    pub(super) fn take_release(&mut self) -> Option<oneshot::Sender<()>> {
        self.release.take().map(|(_, reply)| reply)
    }

    /// Takes in commands until one ends the task: a stop at once, a release when it has waited as long as it may. May be
    /// dropped and called again.
    pub(super) async fn end(&mut self) -> End {
        loop {
            let due = self.release.as_ref().map(|(until, _)| *until);
            let waited = async {
                match due {
                    Some(until) => sleep_until(until).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                received = self.receive() => if let Some(end) = received {
                    return end;
                },
                () = waited => if let Some(reply) = self.take_release() {
                    tracing::info!("what is at work is broken off, for the agent is to be released");
                    return End::Release(reply);
                },
            }
        }
    }

    /// Takes in one command; what ends the task is given back.
    pub(super) async fn receive(&mut self) -> Option<End> {
        match self.commands.recv().await {
            None => return Some(End::Leave),
            Some(AgentCommand::Stop(reply)) => return Some(End::Stop(reply)),
            Some(AgentCommand::Restart) => self.restart = true,
            Some(AgentCommand::Apply(offer)) => self.push(offer),
            Some(AgentCommand::Replaced(hash)) => self.answer_replaced(hash),
            Some(AgentCommand::OwnTelemetry(offer)) => self.later.offer(offer),
            Some(AgentCommand::Renamed(uid)) => self.later.renamed = Some(uid),
            Some(AgentCommand::Release(reply)) => {
                self.release = Some((Instant::now() + RELEASE_PATIENCE, reply));
            }
            Some(AgentCommand::Ask(question)) if self.questions.len() < QUESTIONS => {
                self.questions.push_back(question);
            }
            // Whoever asked sees that nobody will answer.
            Some(AgentCommand::Ask(_)) => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(hash: &'static str) -> AgentRemoteConfig {
        AgentRemoteConfig {
            config_hash: bytes::Bytes::from_static(hash.as_bytes()),
            ..AgentRemoteConfig::default()
        }
    }

    fn names(mailbox: &mut Mailbox) -> Vec<String> {
        std::iter::from_fn(|| mailbox.take_if(true))
            .map(|order| match order {
                Order::Restart => "restart".to_owned(),
                Order::Apply(offer) => format!("apply {}", String::from_utf8_lossy(&offer.config_hash)),
                Order::Replaced(hash) => format!("replaced {}", String::from_utf8_lossy(&hash)),
                Order::OwnTelemetry(offer) => {
                    assert!(offer.metrics.is_some() && offer.logs.is_some(), "{offer:?}");
                    format!("own {} with metrics and logs", String::from_utf8_lossy(&offer.hash))
                }
                Order::Renamed(_) => "renamed".to_owned(),
                Order::Answer(_) => "answer".to_owned(),
            })
            .collect()
    }

    /// C096, C157: the newest offer wins, and those that it replaced get their answer.
    #[tokio::test]
    async fn given_many_commands_while_busy_then_restarts_are_one_and_each_offer_is_answered_once() {
        let (sender, receiver) = mpsc::channel(16);
        let mut mailbox = Mailbox::new(receiver, Later::default());
        for command in [
            AgentCommand::Restart,
            AgentCommand::Apply(offer("a")),
            AgentCommand::Restart,
            AgentCommand::Apply(offer("b")),
            AgentCommand::Apply(offer("c")),
        ] {
            sender.send(command).await.unwrap();
        }
        let (reply, _answer) = oneshot::channel();
        sender.send(AgentCommand::Stop(reply)).await.unwrap();
        assert!(matches!(mailbox.end().await, End::Stop(_)), "the stop is seen at once");
        assert_eq!(names(&mut mailbox), ["replaced a", "replaced b", "restart", "apply c"]);
    }

    #[tokio::test]
    async fn given_a_release_while_busy_then_it_interrupts_nothing_and_is_seen_next() {
        let (sender, receiver) = mpsc::channel(16);
        let mut mailbox = Mailbox::new(receiver, Later::default());
        let (reply, _answer) = oneshot::channel();
        sender.send(AgentCommand::Release(reply)).await.unwrap();
        assert!(mailbox.receive().await.is_none(), "it ends nothing");
        assert!(mailbox.take_release().is_some() && mailbox.take_release().is_none());
    }

    /// C048, C119: a new uid comes before what is sent under it, a config before what it carries.
    #[tokio::test]
    async fn given_what_waited_for_the_supervision_to_begin_when_more_comes_then_it_is_one_order_in_its_place()
     {
        let own = |hash: &'static str, metrics: bool| {
            Box::new(OwnOffer {
                hash: hash.into(),
                metrics: metrics.then(Default::default),
                logs: (!metrics).then(Default::default),
            })
        };
        let mut later = Later::default();
        later.offer(own("a", true));
        later.renamed = Some(InstanceUid::v7(1, [1; 10]));
        let (sender, receiver) = mpsc::channel(16);
        let mut mailbox = Mailbox::new(receiver, later);
        sender.send(AgentCommand::OwnTelemetry(own("b", false))).await.unwrap();
        assert!(mailbox.receive().await.is_none());
        mailbox.push(offer("c"));
        assert_eq!(names(&mut mailbox), ["renamed", "apply c", "own b with metrics and logs"]);
    }

    /// C096: one offer, one status, however often it is made.
    #[tokio::test]
    async fn given_an_offer_that_is_made_again_while_it_waits_then_it_is_not_replaced_by_itself() {
        for (hashes, expect) in [
            (["a", "a", "a"], &["apply a"][..]),
            (["a", "b", "b"], &["replaced a", "apply b"]),
            (["a", "b", "a"], &["replaced b", "apply a"]),
        ] {
            let (_sender, receiver) = mpsc::channel(1);
            let mut mailbox = Mailbox::new(receiver, Later::default());
            for hash in hashes {
                mailbox.push(offer(hash));
            }
            assert_eq!(names(&mut mailbox), expect, "{hashes:?}");
        }
    }

    #[tokio::test]
    async fn given_more_questions_than_may_wait_then_the_rest_learns_it_and_questions_come_before_offers() {
        let (sender, receiver) = mpsc::channel(16);
        let mut mailbox = Mailbox::new(receiver, Later::default());
        mailbox.push(offer("a"));
        let mut answers = Vec::new();
        for _ in 0..=QUESTIONS {
            let (reply, answer) = oneshot::channel();
            answers.push(answer);
            sender.send(AgentCommand::Ask(Question::Facts(reply))).await.unwrap();
            assert!(mailbox.receive().await.is_none());
        }
        assert!(answers.pop().unwrap().await.is_err(), "the last one is dropped");
        let mut expected = vec!["answer"; QUESTIONS];
        expected.push("apply a");
        assert_eq!(names(&mut mailbox), expected);
    }

    #[tokio::test]
    async fn given_nobody_who_commands_then_the_process_is_to_be_left_alone() {
        let (sender, receiver) = mpsc::channel(1);
        drop(sender);
        assert!(matches!(Mailbox::new(receiver, Later::default()).end().await, End::Leave));
    }
}

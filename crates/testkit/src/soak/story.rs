//! The run itself.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use tidegate_api::{CommandRequest, Push, PushRequest};

use super::disturb::Disturbance;
use super::host::{agents_in, journal_faults, weigh};
use super::memory::Flatness;
use super::step::Step;
use super::{Made, Plan, Summary, Surroundings, Weight, make};
use crate::fleet::{
    Agent, Relay, SOON, Scene, ServerProcess, Stage, Supervisor, Wish, eventually, free_port, healthy,
    the_agent, yaml,
};
use crate::swarm::random::Random;

/// Longer than a config takes to its end with a hung reload, a killed supervisor and a server that is away.
const PATIENCE: Duration = Duration::from_secs(180);
/// The last part of a run, in which one supervisor lives, so that its memory can be compared.
const SPARED: f64 = 0.4;
/// The agent's name.
const NAME: &str = "soaked";

/// Supervisors that start whatever is silent anew, and soon.
const SETTINGS: &str = "on_silence: restart-stopped\nsilence: 5s\n";

struct Run {
    plan: Plan,
    around: Surroundings,
    random: Random,
    server: ServerProcess,
    relay: Relay,
    supervisor: Supervisor,
    uid: String,
    summary: Summary,
    /// The supervisor's process and its weights, a config each.
    weights: (i32, Vec<Weight>),
    lives: Vec<Vec<Weight>>,
    /// The last push that ended, and how: it must stay so.
    last: Option<(String, String)>,
    begun: Instant,
    /// Last: what runs in its folder ends before it goes.
    stage: Stage,
}

/// Runs a soak.
///
/// # Panics
/// When a program of the harness cannot be started, or nothing moves any more.
pub async fn soak(plan: Plan, agent: Agent) -> Summary {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let around =
        Surroundings { taken: taken.local_addr().unwrap().port(), dead: free_port(), hangs: plan.hangs };
    let begun = Instant::now();
    let mut run = Run::begin(plan, agent, around).await;
    let mut number = 0;
    while number < plan.configs || begun.elapsed() < plan.time {
        number += run.turn(number).await;
    }
    run.end(number).await;
    run.summary.took = begun.elapsed();
    run.summary
}

impl Run {
    async fn begin(plan: Plan, agent: Agent, around: Surroundings) -> Self {
        let begun = Instant::now();
        let stage = Stage { scene: Scene::new("soak"), agent };
        let server = ServerProcess::start(&stage.scene.path().join("server")).await;
        let relay = Relay::to(server.agents).await.unwrap();
        let endpoint = relay.endpoint("ws");
        let wish = Wish {
            probation: plan.probation.to_owned(),
            settings: SETTINGS.to_owned(),
            ..Wish::new(NAME, endpoint)
        };
        let supervisor = Supervisor::start(&stage, wish);
        let uid = healthy(&server.api, NAME, SOON).await.agent.uid;
        let summary = Summary {
            agent: stage.agent.binary.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            seed: plan.seed,
            ..Summary::default()
        };
        let weights = (supervisor.pid(), Vec::new());
        let random = Random::new(plan.seed, 1);
        let (lives, last) = (Vec::new(), None);
        Self {
            plan,
            around,
            random,
            stage,
            server,
            relay,
            supervisor,
            uid,
            summary,
            weights,
            lives,
            last,
            begun,
        }
    }

    /// One config, with what happens meanwhile; gives how many were pushed.
    async fn turn(&mut self, number: u32) -> u32 {
        self.last_stands().await;
        let spare = f64::from(number) > f64::from(self.plan.configs) * (1.0 - SPARED);
        let disturbance = Disturbance::draw(&mut self.random, spare);
        self.summary.disturbed(disturbance);
        let first = make(&mut self.random, number, self.around);
        let begun = Instant::now();
        let mut pushed = vec![self.push(first).await];
        if disturbance == Disturbance::Burst {
            for more in 1..=2 {
                let made = make(&mut self.random, number + more, self.around);
                pushed.push(self.push(made).await);
            }
        }
        self.disturb(disturbance).await;
        let count = u32::try_from(pushed.len()).unwrap_or(1);
        let newest = pushed.len() - 1;
        for (at, (made, push)) in pushed.into_iter().enumerate() {
            let (state, reason) = self.settled(&push).await;
            if at < newest && state == "superseded" {
                self.summary.superseded += 1;
                continue;
            }
            let took = begun.elapsed();
            let step = Step { made, disturbance, push, state, reason, took };
            self.tell(&step);
            self.summary.count(&step);
            self.last = Some((step.push, step.state));
        }
        self.look().await;
        count
    }

    fn tell(&self, step: &Step) {
        if self.plan.is_told {
            let mark = if step.fault().is_some() { "WRONG " } else { "" };
            let reason: String = step.reason.chars().take(70).filter(|c| *c != '\n').collect();
            println!(
                "{:>6.1} s  {mark}{} {} [{}] {} in {:.1} s {reason}",
                self.begun.elapsed().as_secs_f32(),
                step.made.alias,
                step.made.kind,
                step.disturbance.name(),
                step.state,
                step.took.as_secs_f32(),
            );
        }
    }

    /// The last status is still what it was: one config ends in one status.
    async fn last_stands(&mut self) {
        let Some((push, state)) = self.last.clone() else { return };
        let now = self.settled(&push).await.0;
        if now != state {
            self.summary.faults.push(format!("push {push} ended as {state} and says {now} later"));
        }
    }

    async fn push(&self, made: Made) -> (Made, String) {
        let request =
            PushRequest { q: format!("name:{NAME}"), files: made.files.clone(), expected_count: Some(1) };
        let kind = made.kind;
        let push = eventually("a push", PATIENCE, async || {
            self.server.api.push(&request).await.map_err(|error| format!("{kind}: {error}"))
        });
        let id = push.await.id;
        (made, id)
    }

    /// Waits until the agent of a push does not move any more.
    async fn settled(&self, id: &str) -> (String, String) {
        let api = &self.server.api;
        let push: Push = eventually("settled push", PATIENCE, async || {
            let push = api.push_state(id).await.map_err(|error| error.to_string())?;
            if push.summary.is_settled() { Ok(push) } else { Err(format!("{:?}", push.agents)) }
        })
        .await;
        push.agents.first().map(|agent| (agent.state.clone(), agent.reason.clone())).unwrap_or_default()
    }

    async fn disturb(&mut self, disturbance: Disturbance) {
        let most = Duration::from_millis(1500);
        let pause = self.random.between(Duration::ZERO, most);
        tokio::time::sleep(pause).await;
        match disturbance {
            Disturbance::None | Disturbance::Burst => {}
            Disturbance::AgentKilled => self.supervisor.kill_agent(),
            Disturbance::AgentStopped => self.supervisor.stop_agent(),
            Disturbance::SupervisorKilled => {
                self.supervisor.kill();
                tokio::time::sleep(self.random.between(Duration::ZERO, most)).await;
                self.supervisor.start_again();
            }
            Disturbance::ServerKilled => {
                self.server.kill();
                tokio::time::sleep(self.random.between(Duration::ZERO, most)).await;
                self.server.start_again().await;
            }
            Disturbance::Cut => self.relay.cut(),
            Disturbance::Restart => {
                let request = CommandRequest::Restart { deadline_seconds: None };
                // One that is under way already is refused, which is as well.
                drop(self.server.api.send_command(&self.uid, &request).await);
            }
        }
    }

    /// Looks at the host after a config.
    async fn look(&mut self) {
        let pid = self.supervisor.pid();
        if self.weights.0 != pid {
            let lived = std::mem::replace(&mut self.weights, (pid, Vec::new()));
            self.lives.push(lived.1);
        }
        self.weights.1.extend(weigh(pid));
        let first = agents_in(self.supervisor.folder());
        if first.len() > 1 {
            // One may be on its way out while the next is on its way in; two that stay are two.
            tokio::time::sleep(Duration::from_secs(2)).await;
            let again = agents_in(self.supervisor.folder());
            if first.iter().filter(|pid| again.contains(pid)).count() > 1 {
                self.summary.faults.push(format!("several agents run: {again:?}"));
            }
        }
    }

    /// A last good config, undisturbed, and whether everything is as it should be.
    async fn end(&mut self, number: u32) {
        self.last_stands().await;
        let alias = format!("step_{number}");
        let text = yaml(&alias, "");
        let file = tidegate_api::PushFile {
            name: "fluent-bit.yaml".to_owned(),
            content_type: String::new(),
            role: String::new(),
            body: text.clone(),
        };
        let made =
            Made { kind: "yaml", files: vec![file], verdict: super::Verdict::Runs, alias: alias.clone() };
        let (made, push) = self.push(made).await;
        let begun = Instant::now();
        let (state, reason) = self.settled(&push).await;
        let step = Step { made, disturbance: Disturbance::None, push, state, reason, took: begun.elapsed() };
        self.tell(&step);
        self.summary.count(&step);
        let runs = eventually("the last config at work", PATIENCE, async || {
            let detail = the_agent(&self.server.api, NAME).await?;
            let is_well = detail.agent.health.value == "healthy"
                && detail.components.contains_key(&format!("input:{alias}"));
            let hash =
                self.server.api.push_state(&step.push).await.map_err(|error| error.to_string())?.config;
            if is_well { Ok((detail, hash)) } else { Err(format!("{:?}", detail.agent.health)) }
        });
        let (detail, hash) = runs.await;
        let faults = &mut self.summary.faults;
        let shown = detail.effective_config.iter().find(|file| file.name == "fluent-bit.yaml");
        if shown.is_none_or(|file| file.body != text) {
            faults.push("the effective config is not the last good one".to_owned());
        }
        if detail.agent.config.axis.value != "in-sync" {
            faults.push(format!("the agent is not in sync: {:?}", detail.agent.config.axis));
        }
        let agents = agents_in(self.supervisor.folder());
        if agents != [self.supervisor.agent_pid()] {
            faults.push(format!("the agents that run are {agents:?}"));
        }
        faults.extend(journal_faults(self.supervisor.folder(), &hash));
        self.lives.push(std::mem::take(&mut self.weights.1));
        let longest = self.lives.iter().max_by_key(|life| life.len()).map(Vec::as_slice).unwrap_or_default();
        self.summary.longest_life = longest.len();
        self.summary.flatness = Flatness::of(longest);
        self.summary.faults.extend(self.summary.flatness.faults());
        if !self.summary.faults.is_empty() {
            println!("the logs are in {}", self.stage.scene.keep().display());
        }
    }
}

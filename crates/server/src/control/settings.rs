//! Connection settings: reading and writing the rules, and how far agents have come with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_fleet::settings::{self, Finding, OfferView, Rule, RuleName, Selector, Settings, State, Target};
use tidegate_fleet::{Action, Actor, AuditEntry, authorize};
use tidegate_store::{Transaction, Write};

use super::{Control, ControlError, certificates};

/// Most rules.
const MAX_RULES: usize = 10_000;

/// Whom a rule is for, as it was asked.
#[derive(Clone, Debug)]
pub(crate) enum TargetOrder {
    Fleet,
    Query(String),
    Agent(tidegate_opamp::InstanceUid),
}

/// A rule as it was asked.
#[derive(Debug)]
pub(crate) struct RuleOrder {
    pub(crate) name: String,
    pub(crate) target: TargetOrder,
    pub(crate) priority: i32,
    pub(crate) settings: Settings,
    pub(crate) belief: Belief,
    /// Whether it is only tried.
    pub(crate) dry_run: bool,
}

/// What the caller believes of the rule that they write or remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belief {
    /// There is none of this name.
    Absent,
    /// It has this revision.
    Revision(u64),
    /// It is there.
    Present,
}

/// A rule with how far its agents have come, by state.
#[derive(Debug)]
pub(crate) struct RuleView {
    pub(crate) rule: Arc<Rule>,
    pub(crate) agents: BTreeMap<&'static str, u64>,
    pub(crate) warnings: Vec<Finding>,
}

impl Control {
    /// Every rule, by name.
    pub(crate) fn settings_rules(&self, actor: &Actor) -> Result<Vec<RuleView>, ControlError> {
        authorize(actor, Action::Read)?;
        let rules = self.core.settings.rules();
        let mut counts = self.count_settings(actor, None);
        let view = |(name, rule): (&str, &Arc<Rule>)| RuleView {
            rule: Arc::clone(rule),
            agents: counts.remove(name).unwrap_or_default(),
            warnings: warnings(&rule.settings),
        };
        Ok(rules.by_name().into_iter().map(view).collect())
    }

    /// One rule.
    pub(crate) fn settings_rule(&self, actor: &Actor, name: &str) -> Result<RuleView, ControlError> {
        authorize(actor, Action::Read)?;
        let rules = self.core.settings.rules();
        let rule = rules.get(name).ok_or_else(|| not_found(name))?;
        Ok(self.rule_view(actor, Arc::clone(rule)))
    }

    /// Writes a rule: it is stored when this returns, and on its way to every connected agent that it changes.
    pub(crate) async fn put_settings(
        &self,
        actor: &Actor,
        order: RuleOrder,
    ) -> Result<RuleView, ControlError> {
        let RuleOrder { name, target, priority, settings, belief, dry_run } = order;
        authorize(actor, Action::ManageSettings)?;
        let invalid = |message: &str| ControlError::invalid("name", format!("{name:?}: {message}"));
        let name = RuleName::parse(&name)
            .ok_or_else(|| invalid("a rule's name has 1 to 63 of a-z, 0-9 and -, and no - at either end"))?;
        let target = match target {
            TargetOrder::Fleet => Target::Fleet,
            TargetOrder::Agent(uid) => Target::Agent(uid),
            TargetOrder::Query(text) => {
                let selector = Selector::parse(&text).map_err(|error| {
                    let message = format!("at character {}: {}", error.position, error.message);
                    ControlError::invalid("/target/q", message)
                })?;
                Target::Selector(selector)
            }
        };
        let mut found = settings::check(&settings);
        found.extend(certificates::check(&settings, self.core.now()));
        if let Some(wrong) = found.into_iter().find(|finding| !finding.is_warning) {
            return Err(ControlError::invalid(wrong.pointer, wrong.message));
        }
        let (control, actor) = (self.clone(), actor.clone());
        let rule = Self::to_the_end(async move {
            let _writing = control.core.settings.writing.lock().await;
            let rules = control.core.settings.rules();
            let before = rules.get(name.as_str());
            believe(before, belief, name.as_str())?;
            if before.is_none() && rules.len() >= MAX_RULES {
                let message = format!("this server keeps at most {MAX_RULES} rules; remove some");
                return Err(ControlError::TooMany(message));
            }
            let now = control.core.now();
            let rule = Rule {
                name,
                target,
                priority,
                settings,
                actor: actor.name.clone(),
                at: now,
                revision: before.map_or(1, |before| before.revision + 1),
            };
            if dry_run {
                return Ok((actor, Arc::new(rule)));
            }
            let audit =
                AuditEntry::new(now, &actor, Action::ManageSettings, rule.name.to_string(), detail(&rule));
            let writes = vec![Write::SettingsRule(Box::new(rule.clone()))];
            control.core.store.commit(Transaction::intent(audit, writes)).await?;
            let rule = Arc::new(rule);
            control.core.apply_settings(rules.with(Arc::clone(&rule))).await;
            Ok((actor, rule))
        });
        let (actor, rule) = rule.await?;
        Ok(self.rule_view(&actor, rule))
    }

    /// The rule that would be removed now; it is not.
    pub(crate) fn plan_delete(
        &self,
        actor: &Actor,
        name: &str,
        belief: Belief,
    ) -> Result<RuleView, ControlError> {
        authorize(actor, Action::ManageSettings)?;
        let rules = self.core.settings.rules();
        let rule = rules.get(name).ok_or_else(|| not_found(name))?;
        believe(Some(rule), belief, name)?;
        Ok(self.rule_view(actor, Arc::clone(rule)))
    }

    /// Removes a rule. What it set falls back to the rules below, or to what this server expects.
    pub(crate) async fn delete_settings(
        &self,
        actor: &Actor,
        name: &str,
        belief: Belief,
    ) -> Result<(), ControlError> {
        authorize(actor, Action::ManageSettings)?;
        let (control, actor, name) = (self.clone(), actor.clone(), name.to_owned());
        Self::to_the_end(async move {
            let _writing = control.core.settings.writing.lock().await;
            let rules = control.core.settings.rules();
            let before = rules.get(&name).ok_or_else(|| not_found(&name))?;
            believe(Some(before), belief, &name)?;
            let audit = AuditEntry::new(control.core.now(), &actor, Action::ManageSettings, name, "removed");
            let writes = vec![Write::RemoveSettingsRule(before.name.clone())];
            control.core.store.commit(Transaction::intent(audit, writes)).await?;
            control.core.apply_settings(rules.without(&before.name)).await;
            Ok(())
        })
        .await
    }

    fn rule_view(&self, actor: &Actor, rule: Arc<Rule>) -> RuleView {
        let agents = self.count_settings(actor, Some(&rule.name)).remove(rule.name.as_str());
        RuleView { agents: agents.unwrap_or_default(), warnings: warnings(&rule.settings), rule }
    }

    /// How many agents of each rule stand where: of the rules that give an agent at least one part.
    fn count_settings(
        &self,
        actor: &Actor,
        only: Option<&RuleName>,
    ) -> BTreeMap<String, BTreeMap<&'static str, u64>> {
        let mut counts: BTreeMap<String, BTreeMap<_, u64>> = BTreeMap::new();
        self.core.registry.for_each(|entry| {
            let agent = &entry.agent;
            let Some(view) = settings::standing(agent).filter(|_| actor.scope.covers(agent)) else {
                return;
            };
            for rule in view.desired.rules().into_iter().filter(|rule| only.is_none_or(|name| name == *rule))
            {
                let state = stands(&view, agent, rule, self.core.options.heartbeat_interval);
                *counts.entry(rule.to_string()).or_default().entry(state.as_str()).or_default() += 1;
            }
        });
        counts
    }
}

/// Where an agent stands with one rule: a rule that gives it nothing but an interval, which it cannot be offered, is not
/// acknowledged because another rule's part is.
fn stands(
    view: &OfferView,
    agent: &tidegate_fleet::Agent,
    rule: &RuleName,
    interval: std::time::Duration,
) -> State {
    let gives = |name: &Option<&RuleName>| *name == Some(rule);
    let more = gives(&view.desired.opamp.as_ref().map(|part| &part.rule))
        || view.desired.own.iter().flatten().any(|part| part.rule == *rule)
        || view.desired.other.values().any(|part| part.rule == *rule);
    if more { view.state } else { settings::heartbeat(agent, interval).state }
}

fn warnings(settings: &Settings) -> Vec<Finding> {
    settings::check(settings).into_iter().filter(|finding| finding.is_warning).collect()
}

fn not_found(name: &str) -> ControlError {
    ControlError::NotFound { kind: "connection settings rule", id: name.to_owned() }
}

fn believe(before: Option<&Arc<Rule>>, belief: Belief, name: &str) -> Result<(), ControlError> {
    let stale = |message: String| Err(ControlError::Stale(message));
    match (before, belief) {
        (None, Belief::Absent) | (Some(_), Belief::Present) => Ok(()),
        (Some(rule), Belief::Revision(revision)) if rule.revision == revision => Ok(()),
        (Some(rule), _) => stale(format!("{name} has revision {}; read it again", rule.revision)),
        (None, _) => stale(format!("there is no rule {name}; create it with If-None-Match: *")),
    }
}

/// What a rule says, for the audit log: names, no secrets.
fn detail(rule: &Rule) -> String {
    let target = match &rule.target {
        Target::Fleet => "all agents".to_owned(),
        Target::Selector(selector) => format!("agents that match {:?}", selector.text),
        Target::Agent(uid) => format!("agent {uid}"),
    };
    let Settings { heartbeat, opamp, own, other } = &rule.settings;
    let mut parts: Vec<String> = Vec::new();
    parts.extend(heartbeat.map(|heartbeat| format!("heartbeat {:?}", heartbeat.interval)));
    parts.extend(opamp.as_ref().map(|opamp| format!("opamp {:?}", opamp.destination_endpoint)));
    for (kind, own) in settings::Own::ALL.into_iter().zip(own) {
        parts.extend(own.as_ref().map(|own| format!("{} {:?}", kind.as_str(), own.destination_endpoint)));
    }
    parts.extend(other.keys().map(|name| format!("other {name:?}")));
    format!("revision {} for {target}: {}", rule.revision, parts.join(", "))
}

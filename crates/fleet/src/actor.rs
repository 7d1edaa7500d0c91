//! Who acts, and what they may do. There is one administrator so far; every use case takes an [`Actor`] and every
//! list a [`Scope`], so that roles can come without touching either.

use crate::Agent;

/// Most characters of the name that a client gives itself.
pub(crate) const MAX_CLIENT: usize = 64;

/// The face through which an actor came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// The REST API, the command line included.
    Rest,
    /// The web console.
    Console,
    /// The MCP server: a model acts for a person.
    Mcp,
    /// The server itself, for what no person asked.
    System,
}

impl Face {
    /// The word for audit entries.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Console => "console",
            Self::Mcp => "mcp",
            Self::System => "system",
        }
    }
}

/// Who acts, from which face.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The actor's name in audit entries.
    pub name: String,
    /// Where they came in.
    pub face: Face,
    /// Which agents they may see and touch.
    pub scope: Scope,
    /// The program that they act through, as it names itself: for the record, never a reason to trust it. Empty where it
    /// did not say.
    pub client: String,
}

impl Actor {
    /// The holder of the admin token.
    #[must_use]
    pub fn admin(face: Face) -> Self {
        Self { name: "admin".into(), face, scope: Scope::Everything, client: String::new() }
    }

    /// The same actor, by way of a program that names itself: what is no plain text of it is left out, and all beyond
    /// 64 characters.
    #[must_use]
    pub fn through(self, client: &str) -> Self {
        let plain = |character: &char| character.is_ascii_graphic() || *character == ' ';
        Self { client: client.chars().filter(plain).take(MAX_CLIENT).collect(), ..self }
    }
}

/// Which agents an actor may see or touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole fleet.
    Everything,
    /// No agent at all.
    Nothing,
}

impl Scope {
    /// True when the agent lies within.
    #[must_use]
    pub const fn covers(self, _agent: &Agent) -> bool {
        matches!(self, Self::Everything)
    }
}

/// What an actor wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Look at agents, events and commands.
    Read,
    /// Push a config.
    PushConfig,
    /// Restart agents.
    Restart,
    /// Send a custom message.
    SendMessage,
    /// Cancel a command that has not been sent.
    CancelCommand,
    /// Set labels.
    Label,
    /// Write or remove connection settings.
    ManageSettings,
    /// Make a link that logs in to the console.
    LogIn,
    /// Plan a command, or discard a plan.
    Plan,
}

impl Action {
    /// The word for audit entries and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::PushConfig => "push-config",
            Self::Restart => "restart",
            Self::SendMessage => "send-message",
            Self::CancelCommand => "cancel-command",
            Self::Label => "label",
            Self::ManageSettings => "manage-connection-settings",
            Self::LogIn => "log-in",
            Self::Plan => "plan",
        }
    }
}

/// An actor may not do what they asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{actor} may not {action}")]
pub struct Denied {
    /// Who asked.
    pub actor: String,
    /// For what.
    pub action: &'static str,
}

/// Decides whether an actor may act; the scope then decides on whom.
///
/// # Errors
/// [`Denied`] for an actor whose scope is empty.
pub fn authorize(actor: &Actor, action: Action) -> Result<(), Denied> {
    match actor.scope {
        Scope::Everything => Ok(()),
        Scope::Nothing => Err(Denied { actor: actor.name.clone(), action: action.as_str() }),
    }
}

//! A decision: what one poll came to, and why.

use crate::domain::tally::Capped;
use crate::domain::time::Timestamp;

/// Why docent stayed silent; on the wire, the skip reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hold {
    /// A blank id, or somebody else's `proactive:` conversation.
    ScopeInvalid,
    /// The product's `proactive.enabled` is `false`, or an operator paused it (`docent pause`).
    NotEnabled,
    /// The person wants to be offered nothing (`proactive_opted_out`).
    ConsentDenied,
    /// An offer was dismissed, or a tour left, not long ago (`proactive.conservative`).
    ConservativeCooldown,
    /// An offer is open, a chat or a tour runs.
    WrongState,
    /// Offers could not be delivered several times in a row (`proactive.circuit`).
    CircuitOpen,
    /// The session's last offer is too recent (`proactive.min_interval`).
    MinInterval,
    /// The product made as many offers as it may in a minute (`proactive.quotas`).
    ProductPerMinute,
    /// The session had as many offers as it may in an hour (`proactive.quotas`).
    SessionPerHour,
    /// The user had as many offers as they may in a day (`proactive.quotas`).
    UserPerDay,
    /// No rule matches, or nothing has happened in the session yet.
    NoTrigger,
    /// Rules match, and all of them rest (`cooldown`, `again_after`, a snooze).
    TriggerCooldown,
    /// A rule matches and its `schedule` has not begun.
    ScheduleNotStarted,
    /// A rule matches and its `schedule` is over.
    ScheduleEnded,
    /// A rule matches, and today or this hour is not in its `schedule`.
    ScheduleClosed,
    /// A rule matches, and the product keeps quiet at this hour (`quiet_hours`).
    QuietHours,
    /// A rule matches, and the person turned it down, took it or finished it not long ago (`on_dismiss`, …).
    Backoff,
    /// A rule matches, and the person had as many offers as a cap allows (`frequency`).
    Frequency,
    /// A rule matches, and another one of its `group` is being offered or its tour runs.
    GroupBusy,
    /// A rule matches, and the targets of its tour keep failing.
    TargetUnhealthy,
    /// A rule matches, and a placeholder of its words has no value and no fallback.
    MissingVariable,
    /// A rule matches, and the person is not in the share it is rolled out to (`rollout`).
    RolloutOut,
    /// A rule would fire, or would have within `min_interval`, and the person is in its control group (`holdout`).
    HoldoutTrigger,
    /// A rule would fire, or would have within `min_interval`, and the person is in the product's control group (`holdout`).
    HoldoutGlobal,
    /// A rule matches and waits for its judge.
    JudgePending,
    /// A rule matches and its judge said no.
    JudgeRejected,
    /// A rule could not be computed, a division by zero for example, and no other matches.
    EvaluationError,
}

impl Hold {
    /// Every hold, in the order of the gates.
    pub const ALL: [Self; 27] = [
        Self::ScopeInvalid,
        Self::NotEnabled,
        Self::ConsentDenied,
        Self::ConservativeCooldown,
        Self::WrongState,
        Self::CircuitOpen,
        Self::MinInterval,
        Self::ProductPerMinute,
        Self::SessionPerHour,
        Self::UserPerDay,
        Self::NoTrigger,
        Self::TriggerCooldown,
        Self::ScheduleNotStarted,
        Self::ScheduleEnded,
        Self::ScheduleClosed,
        Self::QuietHours,
        Self::Backoff,
        Self::Frequency,
        Self::GroupBusy,
        Self::TargetUnhealthy,
        Self::MissingVariable,
        Self::RolloutOut,
        Self::HoldoutTrigger,
        Self::HoldoutGlobal,
        Self::JudgePending,
        Self::JudgeRejected,
        Self::EvaluationError,
    ];

    /// The skip reason on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ScopeInvalid => "scope_invalid",
            Self::NotEnabled => "not_enabled",
            Self::ConsentDenied => "consent:denied",
            Self::ConservativeCooldown => "fsm:conservative_cooldown",
            Self::WrongState => "fsm:wrong_state",
            Self::CircuitOpen => "resilience:circuit_open",
            Self::MinInterval => "resilience:min_interval",
            Self::ProductPerMinute => "quota:product_per_minute",
            Self::SessionPerHour => "quota:session_per_hour",
            Self::UserPerDay => "quota:user_per_day",
            Self::NoTrigger => "no_trigger",
            Self::TriggerCooldown => "trigger_cooldown",
            Self::ScheduleNotStarted => "schedule:not_started",
            Self::ScheduleEnded => "schedule:ended",
            Self::ScheduleClosed => "schedule:closed",
            Self::QuietHours => "quiet_hours",
            Self::Backoff => "backoff",
            Self::Frequency => "frequency",
            Self::GroupBusy => "group:busy",
            Self::TargetUnhealthy => "target:unhealthy",
            Self::MissingVariable => "render:missing_variable",
            Self::RolloutOut => "rollout:out",
            Self::HoldoutTrigger => "holdout:trigger",
            Self::HoldoutGlobal => "holdout:global",
            Self::JudgePending => "judge:pending",
            Self::JudgeRejected => "judge:rejected",
            Self::EvaluationError => "evaluation_error",
        }
    }

    /// The hold of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hold| hold.as_str() == name)
    }
}

/// What a poll came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This rule fires (its place in the product's priority order).
    Fire(usize),
    /// The pending offer is said again; nothing is charged.
    Redeliver,
    /// Silence.
    Hold(Hold),
}

/// A decision, small enough to make at every poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What it came to.
    pub verdict: Verdict,
    /// The rule that decided, where one did (the winner, the cooling, the failed).
    pub rule: Option<usize>,
    /// The cap that keeps that rule back, where one does.
    pub cap: Option<Capped>,
    /// Without new activity the verdict cannot change before this instant.
    pub until: Timestamp,
    /// What shadow rules would have come to.
    pub shadow: Shadow,
}

impl Decision {
    /// The first instant at which asking again can matter: for the verdict, or for a shadow.
    pub fn changes(&self) -> Timestamp {
        self.until.min(self.shadow.until)
    }
}

/// What the rules in the shadow came to. Nothing live depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shadow {
    /// The rule that would have been offered, were it live.
    pub would: Option<usize>,
    /// Without new activity that cannot change before this instant.
    pub until: Timestamp,
}

impl Shadow {
    /// No shadow was asked.
    pub const NONE: Self = Self { would: None, until: Timestamp::FOREVER };
}

//! Every route of the API's description, once, as a table.

use utoipa::openapi::path::HttpMethod;

/// One route of the table.
pub(crate) struct Route {
    pub(crate) method: HttpMethod,
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    /// Who it is for: a tag, and what it takes to be let in.
    pub(crate) audience: Audience,
    /// Query parameters and headers: where, name, meaning.
    pub(crate) extra: &'static [(Place, &'static str, &'static str)],
    pub(crate) body: Option<&'static str>,
    /// Media type and schemas of 200: any one of them, or plain text.
    pub(crate) answer: (&'static str, &'static [&'static str]),
    /// Beside 200.
    pub(crate) errors: &'static [u16],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    FrontEnd,
    Chatbot,
    Activity,
    Operators,
    Everybody,
}

#[derive(Clone, Copy)]
pub(crate) enum Place {
    Query,
    Header,
}

pub(crate) const JSON: &str = "application/json";
const KEY: (Place, &str, &str) = (Place::Query, "key", "A publishable key.");
const TOKEN: (Place, &str, &str) =
    (Place::Header, "x-docent-session", "A session token, where the product signs sessions.");
const ST: (Place, &str, &str) = (Place::Query, "st", "The same, where no header can be sent.");

/// What the routes about one person's data have in common.
const PEOPLE: Route = Route {
    method: HttpMethod::Get,
    path: "",
    summary: "",
    audience: Audience::Operators,
    extra: &[],
    body: None,
    answer: (JSON, &["Exported"]),
    errors: &[400, 401, 403, 404, 405, 422, 429, 503],
};

/// Every route, once.
pub(crate) const ROUTES: [Route; 25] = [
    Route {
        method: HttpMethod::Get,
        path: "/context/{product_id}/{session_id}",
        summary: "Ask whether now is the moment to offer help. A returned trigger is an offer made.",
        audience: Audience::FrontEnd,
        extra: &[
            (
                Place::Query,
                "explain",
                "With a secret key: what a poll would come to, and why; `1` as JSON, `text` for people. Nothing is fired.",
            ),
            (Place::Query, "at", "With `explain`: at this instant instead of now, Unix seconds."),
            (Place::Query, "rule", "With `explain`: what keeps this trigger back."),
            (
                Place::Query,
                "conversation_id",
                "The chat thread; without it `proactive:{session_id}`.",
            ),
            KEY,
            TOKEN,
            ST,
        ],
        body: None,
        answer: (JSON, &["Poll", "Explanation"]),
        errors: &[400, 401, 403, 404, 405, 422, 429, 503],
    },
    Route {
        method: HttpMethod::Post,
        path: "/agent_state/{product_id}/{conversation_id}",
        summary: "Say what became of an offer, or that a chat began or ended.",
        audience: Audience::FrontEnd,
        extra: &[KEY, TOKEN, ST],
        body: Some("AgentEvent"),
        answer: (JSON, &["AgentEventResult"]),
        errors: &[400, 401, 403, 404, 405, 408, 413, 422, 429, 503],
    },
    Route {
        method: HttpMethod::Get,
        path: "/tours/{product_id}",
        summary: "The catalogue of guided tours.",
        audience: Audience::FrontEnd,
        extra: &[KEY],
        body: None,
        answer: (JSON, &["Tours"]),
        errors: &[400, 401, 403, 404, 405, 422, 429],
    },
    Route {
        method: HttpMethod::Post,
        path: "/retrieval",
        summary: "What the person is doing, as Dify's External Knowledge API asks for it.",
        audience: Audience::Chatbot,
        extra: &[],
        body: Some("Retrieval"),
        answer: (JSON, &["Records"]),
        errors: &[400, 401, 403, 404, 405, 408, 413, 422, 429, 503],
    },
    Route {
        method: HttpMethod::Put,
        path: "/users/{product_id}/{user_id}/traits",
        summary: "Say what is known of a person: an object of scalars, null forgetting one.",
        audience: Audience::Chatbot,
        extra: &[],
        body: Some("Message"),
        answer: (JSON, &["Traits"]),
        errors: &[400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 503],
    },
    Route {
        method: HttpMethod::Put,
        path: "/accounts/{product_id}/{account_id}/traits",
        summary: "Say what is known of an account: an object of scalars, null forgetting one.",
        audience: Audience::Chatbot,
        extra: &[],
        body: Some("Message"),
        answer: (JSON, &["AccountTraits"]),
        errors: &[400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 503],
    },
    Route {
        method: HttpMethod::Post,
        path: "/events/{product_id}",
        summary: "Bring activity: one message, signed by a server or sent by a browser.",
        audience: Audience::Activity,
        extra: &[
            (
                Place::Header,
                "x-connector-signature",
                "`sha256=` and the hex HMAC-SHA256 of the body.",
            ),
            KEY,
            TOKEN,
            ST,
        ],
        body: Some("Message"),
        answer: (JSON, &["Accepted"]),
        errors: &[400, 401, 403, 404, 405, 408, 413, 422, 429, 503],
    },
    Route {
        method: HttpMethod::Post,
        path: "/webhook/{product_id}",
        summary: "Bring activity from a PostHog destination.",
        audience: Audience::Activity,
        extra: &[(Place::Header, "x-posthog-secret", "The webhook key, or a signature by it.")],
        body: Some("Message"),
        answer: (JSON, &["PosthogAccepted"]),
        errors: &[400, 401, 403, 404, 405, 408, 413, 422, 429, 503],
    },
    Route {
        method: HttpMethod::Get,
        path: "/healthz",
        summary: "Whether docent lives.",
        audience: Audience::Everybody,
        extra: &[],
        body: None,
        answer: (JSON, &["Health"]),
        errors: &[403, 405, 429],
    },
    Route {
        method: HttpMethod::Get,
        path: "/readyz",
        summary: "Whether docent serves, and what is not as it should be.",
        audience: Audience::Everybody,
        extra: &[],
        body: None,
        answer: (JSON, &["Health"]),
        errors: &[403, 405, 429, 503],
    },
    Route {
        method: HttpMethod::Get,
        path: "/metrics",
        summary: "Counters, in OpenMetrics text.",
        audience: Audience::Operators,
        extra: &[],
        body: None,
        answer: ("application/openmetrics-text", &[]),
        errors: &[401, 403, 404, 405, 429],
    },
    Route {
        method: HttpMethod::Get,
        path: "/admin/rules",
        summary: "The rules being served, and the candidate that was refused with its findings.",
        audience: Audience::Operators,
        extra: &[],
        body: None,
        answer: (JSON, &["Rules"]),
        errors: &[401, 403, 404, 405, 429],
    },
    Route {
        method: HttpMethod::Get,
        path: "/admin/status",
        summary: "What this instance serves, and what those say that share its store.",
        audience: Audience::Operators,
        extra: &[],
        body: None,
        answer: (JSON, &["Status"]),
        errors: &[401, 403, 404, 405, 429, 503],
    },
    Route {
        method: HttpMethod::Get,
        path: "/admin/backup",
        summary: "Every record of the store, as one file.",
        audience: Audience::Operators,
        extra: &[],
        body: None,
        answer: ("application/zstd", &[]),
        errors: &[401, 403, 404, 405, 429, 503],
    },
    Route {
        method: HttpMethod::Post,
        path: "/admin/restore",
        summary: "Put the records of a backup back, sent as `application/zstd`; 409 when the store has records.",
        audience: Audience::Operators,
        extra: &[(
            Place::Query,
            "replace",
            "`1`: replace records that are there; those that the backup does not have stay.",
        )],
        body: None,
        answer: (JSON, &["Restored"]),
        errors: &[400, 401, 403, 404, 405, 408, 409, 415, 422, 429, 503],
    },
    Route {
        method: HttpMethod::Get,
        path: "/admin/products/{product_id}/proactive",
        summary: "Whether a product offers anything, and its pause.",
        audience: Audience::Operators,
        extra: &[],
        body: None,
        answer: (JSON, &["Proactive"]),
        errors: &[400, 401, 403, 404, 405, 422, 429],
    },
    Route {
        method: HttpMethod::Put,
        path: "/admin/products/{product_id}/proactive",
        summary: "Pause a product with `enabled: false`, until `until`, `for` a duration, or until it is resumed with `enabled: true`; `reason` says why.",
        audience: Audience::Operators,
        extra: &[],
        body: Some("Message"),
        answer: (JSON, &["Proactive"]),
        errors: &[400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 503],
    },
    Route {
        method: HttpMethod::Post,
        path: "/admin/sessions/{product_id}/{session_id}/forget",
        summary: "Remove what is known of a session, and of a chat thread that `conversation_id` names; 404 when nothing is.",
        audience: Audience::Operators,
        extra: &[],
        body: Some("Message"),
        answer: (JSON, &["Forgotten"]),
        errors: &[400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 503],
    },
    Route {
        method: HttpMethod::Get,
        path: "/admin/users/{product_id}/{user_id}/export",
        summary: "Every record of a person; found by walking through the store, for five minutes at most; 404 when there is none.",
        ..PEOPLE
    },
    Route {
        method: HttpMethod::Delete,
        path: "/admin/users/{product_id}/{user_id}",
        summary: "Remove every record of a person, but a hash by which a wish for no offers stays known; 404 when there is none.",
        answer: (JSON, &["Erased"]),
        ..PEOPLE
    },
    Route {
        method: HttpMethod::Get,
        path: "/admin/emails/{product_id}/{email}/export",
        summary: "Every record of the person of an e-mail address; found by walking through the store, for five minutes at most; 404 when there is none.",
        ..PEOPLE
    },
    Route {
        method: HttpMethod::Delete,
        path: "/admin/emails/{product_id}/{email}",
        summary: "Remove every record of the person of an e-mail address, but a hash by which a wish for no offers stays known; 404 when there is none.",
        answer: (JSON, &["Erased"]),
        ..PEOPLE
    },
    Route {
        method: HttpMethod::Get,
        path: "/admin/sessions/{product_id}/{session_id}/export",
        summary: "Every record of the person of a session, else of the session alone; found by walking through the store, for five minutes at most; 404 when there is none.",
        ..PEOPLE
    },
    Route {
        method: HttpMethod::Delete,
        path: "/admin/sessions/{product_id}/{session_id}",
        summary: "Remove every record of the person of a session, else of the session alone, but a hash by which a wish for no offers stays known; 404 when there is none.",
        answer: (JSON, &["Erased"]),
        ..PEOPLE
    },
    Route {
        method: HttpMethod::Get,
        path: "/openapi.json",
        summary: "This document.",
        audience: Audience::Everybody,
        extra: &[],
        body: None,
        answer: (JSON, &["Document"]),
        errors: &[403, 405, 429],
    },
];

impl Audience {
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::FrontEnd => "front end",
            Self::Chatbot => "chatbot",
            Self::Activity => "activity",
            Self::Operators => "operators",
            Self::Everybody => "everybody",
        }
    }

    /// Any one of these; `None` is nothing at all.
    pub(crate) const fn schemes(self) -> &'static [Option<&'static str>] {
        match self {
            Self::FrontEnd | Self::Activity => &[None, Some("bearer"), Some("basic")],
            Self::Chatbot | Self::Operators => &[Some("bearer"), Some("basic")],
            Self::Everybody => &[],
        }
    }
}

/// What a status means, whatever the route.
pub(crate) const fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The path or the body cannot be read.",
        401 => "No key, an unknown one, or a bad signature or token.",
        403 => "A key for something else, or an origin or host that is not allowed.",
        404 => "No such product.",
        405 => "No such method here.",
        408 => "The body took too long.",
        409 => "There is something already.",
        413 => "The body is too large.",
        422 => "Readable, but not what this route takes.",
        429 => "Too many requests; `Retry-After` says when to come back.",
        503 => "Not now; `Retry-After` says when to come back.",
        _ => "Something else.",
    }
}

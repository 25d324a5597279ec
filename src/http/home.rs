//! `/`: a small page that says where one is, what to try, and what was decided last.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use http::Request;
use http::header::HOST;

use crate::app::{Note, NotedVerdict};
use crate::domain::health::Unhealthy;
use crate::http::access::RouteClass;
use crate::http::error::ApiError;
use crate::http::origin::{Address, is_loopback_host};
use crate::http::site::Desk;

/// Three requests worth trying against this server, as shell lines.
pub fn first_steps(base: &str, product: &str) -> String {
    let action =
        |page: &str| format!(r#"{{"type":"pageview","title":"{page}","canonical_url":"{page}"}}"#);
    let pages =
        ["/projects", "/settings", "/projects", "/settings", "/projects"].map(action).join(",");
    format!(
        "\nBe somebody who wanders between two pages, wait 20 seconds, and ask what to show them:\n\n\
         curl -s {base}/events/{product} -H 'Content-Type: application/json' \\\n  \
         -d '{{\"type\":\"actions\",\"session_id\":\"ps_1\",\"actions\":[{pages}]}}'\n\n\
         curl -s '{base}/context/{product}/ps_1?conversation_id=proactive:ps_1'\n\n\
         curl -s {base}/agent_state/{product}/proactive:ps_1 -H 'Content-Type: application/json' \\\n  \
         -d '{{\"event\":\"proactive_dismissed\"}}'\n"
    )
}

/// The page. Its decisions name sessions, so they are shown where operators need no token.
pub(crate) async fn page(
    State(desk): State<Arc<Desk>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let rulebook = desk.app.live.current();
    desk.gate.admit(&rulebook.settings, &parts, RouteClass::Open, None)?;
    let host =
        parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1:8080");
    let product = rulebook.settings.products.keys().next().map_or("acme", |id| id);
    let steps = escape(&first_steps(&format!("http://{host}"), product));
    let here = desk.gate.address() == Address::Loopback
        && is_loopback_host(host)
        && rulebook.settings.admin.tokens.is_empty();
    let decisions = if here { table(&desk.app.latest()) } else { String::new() };
    let status = desk.app.live.status();
    let active = format!(
        "Revision {} ({}): {} rules, {} tours, {} prompts.",
        status.active.revision,
        escape(&status.active.digest),
        status.active.rules,
        status.active.tours,
        status.active.prompts,
    );
    let refused = match &status.candidate {
        Some(_) => {
            "<p><b>What is on disk was refused</b>; see <a href=\"/admin/rules\">the findings</a>.</p>"
        }
        None => "",
    };
    let broken = broken(&desk.app.unhealthy_tours(desk.app.clock.now()));
    Ok(Html(format!("{HEAD}<p>{active}</p>{refused}{broken}<pre>{steps}</pre>{decisions}"))
        .into_response())
}

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>docent</title>\
    <meta name=\"viewport\" content=\"width=device-width\">\
    <style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
    pre{background:#f4f4f2;padding:1rem;overflow:auto;font-size:13px}\
    table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd}\
    .fired{font-weight:600;color:#0a6b3d}.ghost{color:#5b5b8c}</style>\
    <h1>docent</h1><p>Decides whether now is the moment to offer help.</p>";

/// Tours that are not offered since they keep failing.
fn broken(tours: &[(Arc<str>, Unhealthy)]) -> String {
    let line = |(product, tour): &(Arc<str>, Unhealthy)| {
        format!("<li>{}: {}</li>", escape(product), escape(&tour.to_string()))
    };
    if tours.is_empty() {
        return String::new();
    }
    let lines: String = tours.iter().map(line).collect();
    format!("<p><b>Tours that are not offered, since they keep failing:</b></p><ul>{lines}</ul>")
}

fn table(notes: &[Note]) -> String {
    if notes.is_empty() {
        return "<h2>Last decisions</h2><p>None yet: nobody has asked.</p>".to_owned();
    }
    let rows: String = notes.iter().map(row).collect();
    format!(
        "<h2>Last decisions</h2><table><tr><th>at (UTC)<th>product<th>session<th>decision</tr>{rows}</table>"
    )
}

fn row(note: &Note) -> String {
    let day_ms = note.at.as_millis().rem_euclid(86_400_000);
    let (hours, minutes, seconds) = (day_ms / 3_600_000, day_ms / 60_000 % 60, day_ms / 1_000 % 60);
    let (class, verdict) = match &note.verdict {
        NotedVerdict::Offered(trigger) => ("fired", trigger.to_string()),
        NotedVerdict::Ghost(trigger, None) => ("ghost", format!("{trigger} (shadow)")),
        NotedVerdict::Ghost(trigger, Some(hold)) => {
            ("ghost", format!("{trigger} ({})", hold.as_str()))
        }
        NotedVerdict::Held(_, Some(cap)) => ("held", cap.to_string()),
        NotedVerdict::Held(hold, None) => ("held", hold.as_str().to_owned()),
        NotedVerdict::Elsewhere(event) => {
            let what = event.as_deref().unwrap_or("activity");
            ("held", format!("{what} (through another instance)"))
        }
    };
    format!(
        "<tr><td>{hours:02}:{minutes:02}:{seconds:02}<td>{}<td>{}<td class=\"{class}\">{}</tr>",
        escape(&note.product),
        escape(&note.session),
        escape(&verdict),
    )
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    #[test]
    fn a_session_id_is_text_and_no_markup() {
        let note = Note {
            at: Timestamp::from_millis(3_723_000),
            product: "acme".into(),
            session: "<script>".into(),
            verdict: NotedVerdict::Offered("hesitation".into()),
        };
        let row = row(&note);
        assert!(row.contains("01:02:03") && row.contains("&lt;script&gt;"), "{row}");
    }
}

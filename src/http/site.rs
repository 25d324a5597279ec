//! A site: the routes of one listener, with everything their handlers use. The route table fits
//! one screen.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, post, put};
use http::Request;
use http::request::Parts;

use crate::app::App;
use crate::domain::time::Timestamp;
use crate::http::access::RouteClass;
use crate::http::error::{ApiError, head, no_such_method, no_such_route};
use crate::http::front::Front;
use crate::http::gate::{Admitted, Gate};
use crate::http::origin::Address;
use crate::http::{
    admin, agent_state, backup, clock, context, events, forget, health, home, people, proactive,
    retrieval, status, tours, users,
};
use crate::rulebook::{Product, Rulebook};

/// One listener's routes.
#[derive(Debug)]
pub struct Site {
    desk: Arc<Desk>,
    front: Front,
}

/// What every handler uses.
#[derive(Debug)]
pub struct Desk {
    /// The verbs.
    pub app: Arc<App>,
    /// Who may ask.
    pub gate: Arc<Gate>,
}

impl Site {
    /// Every route: front end, chatbot and, on loopback or with tokens, operators.
    pub fn whole(app: Arc<App>, address: Address) -> Self {
        Self::new(app, address, for_products().merge(for_operators())).polling()
    }

    /// Everything but operators' routes, which have a listener of their own.
    pub fn public(app: Arc<App>, address: Address) -> Self {
        Self::new(app, address, for_products()).polling()
    }

    /// Operators' routes alone.
    pub fn operators(app: Arc<App>, address: Address) -> Self {
        Self::new(app, address, for_operators())
    }

    fn new(app: Arc<App>, address: Address, routes: Router<Arc<Desk>>) -> Self {
        let metrics = Arc::clone(&app.metrics);
        let limits = &app.live.current().settings.limits;
        let gate = Arc::new(Gate::new(address, limits, Arc::clone(&metrics)));
        let desk = Arc::new(Desk { app, gate: Arc::clone(&gate) });
        let routes = routes
            .merge(for_everyone())
            .fallback(no_such_route)
            .method_not_allowed_fallback(no_such_method)
            .with_state(Arc::clone(&desk));
        Self { desk, front: Front::new(gate, metrics, routes) }
    }

    fn polling(self) -> Self {
        Self { front: self.front.polling(Arc::clone(&self.desk)), ..self }
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request<Body>) -> Response {
        let rulebook = self.desk.app.live.current();
        self.front.answer(&rulebook.settings, request).await
    }

    /// Forgets clients that have long been quiet; to be called once a minute.
    pub fn tidy(&self) {
        self.desk.gate.tidy();
    }
}

/// A GET whose HEAD has no consequences.
fn quiet<H, T>(handler: H) -> MethodRouter<Arc<Desk>>
where
    H: axum::handler::Handler<T, Arc<Desk>>,
    T: 'static,
{
    get(handler).head(head)
}

fn for_products() -> Router<Arc<Desk>> {
    Router::new()
        .route("/context/{product}/{session}", quiet(context::poll))
        .route("/agent_state/{product}/{conversation}", post(agent_state::report))
        .route("/events/{product}", post(events::push))
        .route("/webhook/{product}", post(events::posthog))
        .route("/tours/{product}", quiet(tours::list))
        .route("/retrieval", post(retrieval::retrieve))
        .route("/users/{product}/{user}/traits", put(users::traits))
        .route("/accounts/{product}/{account}/traits", put(users::account_traits))
        .route("/", quiet(home::page))
}

fn for_operators() -> Router<Arc<Desk>> {
    Router::new()
        .route("/metrics", quiet(health::metrics))
        .route("/admin/rules", quiet(admin::rules))
        .route("/admin/status", quiet(status::show))
        .route("/admin/backup", quiet(backup::save))
        .route("/admin/restore", post(backup::restore))
        .route("/admin/products/{product}/proactive", quiet(proactive::show).put(proactive::change))
        .route("/admin/sessions/{product}/{session}/forget", post(forget::session))
        .route("/admin/users/{product}/{user}", delete(people::erase))
        .route("/admin/users/{product}/{user}/export", quiet(people::export))
        .route("/admin/emails/{product}/{email}", delete(people::erase))
        .route("/admin/emails/{product}/{email}/export", quiet(people::export))
        .route("/admin/sessions/{product}/{session}", delete(people::erase))
        .route("/admin/sessions/{product}/{session}/export", quiet(people::export))
        .route("/__clock", post(clock::move_to))
}

fn for_everyone() -> Router<Arc<Desk>> {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/openapi.json", get(health::interface))
}

/// A request that was let in, with what it is about.
pub(crate) struct Visit {
    pub(crate) product: Arc<Product>,
    pub(crate) admitted: Admitted,
    pub(crate) now: Timestamp,
}

impl Desk {
    /// Lets a request of a product in; reads rulebook and clock once for all of it.
    pub(crate) fn admit(
        &self,
        parts: &Parts,
        class: RouteClass,
        named: Option<&str>,
    ) -> Result<Visit, ApiError> {
        let rulebook = self.app.live.current();
        let admitted = self.gate.admit(&rulebook.settings, parts, class, named)?;
        self.visit(&rulebook, admitted)
    }

    /// What an admitted request is about.
    pub(crate) fn visit(&self, rulebook: &Rulebook, admitted: Admitted) -> Result<Visit, ApiError> {
        let product = admitted.product.as_ref().and_then(|id| rulebook.products.get(id)).cloned();
        let product = product.ok_or_else(ApiError::unknown_product)?;
        Ok(Visit { product, admitted, now: self.app.clock.now() })
    }

    /// Lets an operator in.
    pub(crate) fn admit_operator(&self, parts: &Parts) -> Result<Arc<Rulebook>, ApiError> {
        let rulebook = self.app.live.current();
        self.gate.admit(&rulebook.settings, parts, RouteClass::Operator, None)?;
        Ok(rulebook)
    }
}

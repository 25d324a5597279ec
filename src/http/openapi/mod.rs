//! `GET /openapi.json`: what the routes take and answer, built from the wire types and one table.

mod routes;

use std::sync::LazyLock;

use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem,
    PathsBuilder, Ref, RefOr, Required,
};
use utoipa::{PartialSchema, ToSchema};

use crate::http::openapi::routes::{JSON, Place, ROUTES, Route, meaning};
use crate::http::wire::activity::{AcceptedBody, PosthogBody};
use crate::http::wire::agent_state::{ReportBody, ReportedBody};
use crate::http::wire::backup::RestoredBody;
use crate::http::wire::error::{ErrorBody, RulesBody, StatusBody};
use crate::http::wire::explain::{ClauseBody, ExplainedBody, GateBody, RuleBody};
use crate::http::wire::forget::ForgottenBody;
use crate::http::wire::health::HealthBody;
use crate::http::wire::people::{ErasedBody, ExportedBody, SweptBody};
use crate::http::wire::poll::{OfferBody, PollBody};
use crate::http::wire::proactive::{PausedBody, ProactiveBody};
use crate::http::wire::retrieval::{RecordBody, RecordsBody, RetrievalBody, RetrievalSetting};
use crate::http::wire::tours::{StepBody, TourBody, ToursBody};
use crate::http::wire::traits::{AccountTraitsBody, TraitsBody};

/// The document.
pub fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("docent")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Decides, by rules anyone can read, whether now is the moment to offer help. \
             Every route may be preceded by `/k/{key}`, by `/p/{product}`, or by both.",
        ))
        .build();
    let paths = ROUTES.iter().fold(PathsBuilder::new(), |paths, route| {
        let method = route.method.clone();
        paths.path(route.path, PathItem::new(method, route.operation()))
    });
    OpenApiBuilder::new()
        .info(info)
        .paths(paths.build())
        .components(Some(components().build()))
        .build()
}

/// The document as it is sent. It is plain data with string keys, so that JSON can say all of it.
pub fn text() -> &'static str {
    static TEXT: LazyLock<String> =
        LazyLock::new(|| serde_json::to_string(&document()).unwrap_or_default());
    &TEXT
}

fn components() -> ComponentsBuilder {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let basic = HttpBuilder::new().scheme(HttpAuthScheme::Basic).build();
    let object = || ObjectBuilder::new().schema_type(Type::Object).build();
    let components = ComponentsBuilder::new()
        .security_scheme("bearer", SecurityScheme::Http(bearer))
        .security_scheme("basic", SecurityScheme::Http(basic))
        .schema("Message", object())
        .schema("Document", object());
    let components = schema::<PollBody<'_>>(components);
    let components = schema::<OfferBody<'_>>(components);
    let components = schema::<ReportBody>(components);
    let components = schema::<ReportedBody>(components);
    let components = schema::<ToursBody<'_>>(components);
    let components = schema::<TraitsBody<'_>>(components);
    let components = schema::<AccountTraitsBody<'_>>(components);
    let components = schema::<TourBody<'_>>(components);
    let components = schema::<StepBody>(components);
    let components = schema::<RetrievalBody>(components);
    let components = schema::<RetrievalSetting>(components);
    let components = schema::<RecordsBody>(components);
    let components = schema::<RecordBody>(components);
    let components = schema::<AcceptedBody>(components);
    let components = schema::<PosthogBody>(components);
    let components = schema::<ExplainedBody<'_>>(components);
    let components = schema::<GateBody>(components);
    let components = schema::<RuleBody<'_>>(components);
    let components = schema::<ClauseBody>(components);
    let components = schema::<ForgottenBody<'_>>(components);
    let components = schema::<ExportedBody>(components);
    let components = schema::<ErasedBody>(components);
    let components = schema::<SweptBody>(components);
    let components = schema::<RestoredBody<'_>>(components);
    let components = schema::<ProactiveBody<'_>>(components);
    let components = schema::<PausedBody>(components);
    let components = schema::<HealthBody>(components);
    let components = schema::<RulesBody>(components);
    let components = schema::<StatusBody>(components);
    schema::<ErrorBody>(components)
}

/// One schema, any of several, or text.
fn any_of(names: &[&str]) -> RefOr<Schema> {
    match names {
        [] => ObjectBuilder::new().schema_type(Type::String).build().into(),
        [one] => Ref::from_schema_name(*one).into(),
        several => {
            let any = several
                .iter()
                .fold(AnyOfBuilder::new(), |any, name| any.item(Ref::from_schema_name(*name)));
            RefOr::T(Schema::AnyOf(any.build()))
        }
    }
}

fn schema<T: ToSchema + PartialSchema>(components: ComponentsBuilder) -> ComponentsBuilder {
    components.schema(T::name(), T::schema())
}

impl Route {
    fn operation(&self) -> Operation {
        let (media, answer) = self.answer;
        let content = ContentBuilder::new().schema(Some(any_of(answer)));
        let fine = ResponseBuilder::new().description("As asked.").content(media, content.build());
        let mut operation = Operation::builder()
            .summary(Some(self.summary))
            .operation_id(Some(self.id()))
            .tag(self.audience.tag())
            .parameters(Some(self.parameters()))
            .response("200", fine.build());
        for status in self.errors {
            operation = operation.response(status.to_string(), self.error(*status));
        }
        if let Some(body) = self.body {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(body))).build();
            let body = RequestBodyBuilder::new().required(Some(Required::True));
            operation = operation.request_body(Some(body.content(JSON, content).build()));
        }
        for scheme in self.audience.schemes() {
            let none = SecurityRequirement::default();
            let one = |name: &&str| SecurityRequirement::new::<_, [&str; 0], &str>(*name, []);
            operation = operation.security(scheme.as_ref().map_or(none, one));
        }
        operation.build()
    }

    /// `get_context`, `post_agent_state`: the method and the first word of the path.
    fn id(&self) -> String {
        let method = match self.method {
            HttpMethod::Get => "get",
            HttpMethod::Delete => "delete",
            _ => "post",
        };
        let words = self.path.split('/').filter(|word| !word.is_empty() && !word.starts_with('{'));
        let words: Vec<&str> = words.map(|word| word.trim_end_matches(".json")).collect();
        format!("{method}_{}", words.join("_"))
    }

    fn parameters(&self) -> Vec<Parameter> {
        let parameter = |place, name: &str, meaning: &str, required| {
            let text = ObjectBuilder::new().schema_type(Type::String);
            let longest = matches!(place, ParameterIn::Path).then_some(512);
            ParameterBuilder::new()
                .name(name)
                .parameter_in(place)
                .required(required)
                .description(Some(meaning))
                .schema(Some(text.max_length(longest).build()))
                .build()
        };
        let names =
            self.path.split('/').filter_map(|piece| piece.strip_prefix('{')?.strip_suffix('}'));
        let in_path = names.map(|name| {
            let meaning = "At most 512 bytes, percent-decoded exactly once.";
            parameter(ParameterIn::Path, name, meaning, Required::True)
        });
        let elsewhere = self.extra.iter().map(|(place, name, meaning)| {
            let place = match place {
                Place::Query => ParameterIn::Query,
                Place::Header => ParameterIn::Header,
            };
            parameter(place, name, meaning, Required::False)
        });
        in_path.chain(elsewhere).collect()
    }

    /// Every error is a detail; an unready docent says so with its health.
    fn error(&self, status: u16) -> utoipa::openapi::Response {
        let body = if (self.path, status) == ("/readyz", 503) { "Health" } else { "Error" };
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(body))).build();
        ResponseBuilder::new().description(meaning(status)).content(JSON, content).build()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn json() -> Value {
        serde_json::to_value(document()).unwrap()
    }

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(name)) = members.get("$ref") {
                    found.push(name.clone());
                }
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let (document, mut found) = (json(), Vec::new());
        references(&document, &mut found);
        assert!(found.len() > ROUTES.len());
        for name in found {
            let pointer = name.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{name}");
        }
    }

    #[test]
    fn operation_ids_are_unique_and_every_route_has_its_path() {
        let document = json();
        let mut ids: Vec<String> = ROUTES.iter().map(Route::id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), ROUTES.len());
        for route in &ROUTES {
            assert!(document["paths"][route.path].is_object(), "{}", route.path);
        }
        assert_eq!(document["paths"]["/openapi.json"]["get"]["operationId"], "get_openapi");
    }

    #[test]
    fn the_schema_of_a_poll_has_the_members_that_are_sent() {
        let document = json();
        let poll = &document["components"]["schemas"]["Poll"]["properties"];
        for name in ["proactive_trigger", "proactive_skip_reason", "pending_offer", "next_poll_ms"]
        {
            assert!(poll[name].is_object(), "{name}");
        }
        let errors = &document["paths"]["/context/{product_id}/{session_id}"]["get"]["responses"];
        for status in ["200", "400", "401", "403", "404", "422", "429", "503"] {
            assert!(errors[status].is_object(), "{status}");
        }
    }
}

//! `GET /tours/{product}`: the catalogue as the seeds' front ends and system prompts know it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::tour::{Catalogue, Step, Tour};

/// All tours of a product, by id.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Tours)]
pub struct ToursBody<'a> {
    /// The product.
    pub product_id: &'a str,
    /// In the order of their ids.
    pub tours: Vec<TourBody<'a>>,
}

/// One tour.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Tour)]
pub struct TourBody<'a> {
    /// What a chatbot writes in `[TOUR:<id>]`.
    pub id: &'a str,
    /// For people.
    pub name: &'a str,
    /// When to choose it and when not, in one text.
    pub description: String,
    /// When to choose it.
    pub use_when: &'a str,
    /// When not.
    pub not_for: Option<&'a str>,
    /// Where it runs: a path, `:name` standing for any piece.
    pub route: Option<&'a str>,
    /// In order, at least one.
    #[schema(value_type = Vec<StepBody>)]
    pub steps: &'a [Step],
}

/// One step, as documented; what is sent is the catalogue's own.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TourStep)]
pub struct StepBody {
    /// A CSS selector.
    pub target: String,
    /// Heading.
    pub title: String,
    /// What to do.
    pub content: String,
    /// `top`, `bottom`, `left`, `right` or `auto`.
    pub placement: String,
}

impl<'a> ToursBody<'a> {
    /// The answer for a catalogue.
    pub fn new(product: &'a str, catalogue: &'a Catalogue) -> Self {
        Self { product_id: product, tours: catalogue.values().map(TourBody::from).collect() }
    }
}

impl<'a> From<&'a Tour> for TourBody<'a> {
    fn from(tour: &'a Tour) -> Self {
        let not_for = tour.not_for.as_deref();
        Self {
            id: &tour.id,
            name: &tour.name,
            description: not_for.map_or_else(
                || tour.use_when.clone(),
                |not_for| format!("{}\nNOT for: {not_for}", tour.use_when),
            ),
            use_when: &tour.use_when,
            not_for,
            route: tour.route.as_ref().map(|route| route.as_str()),
            steps: &tour.steps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::page::PagePattern;

    #[test]
    fn a_tour_has_the_members_of_the_seeds() {
        let step = |text: &str| Step {
            target: "#add".into(),
            title: "Create".into(),
            content: text.into(),
            placement: "bottom".into(),
        };
        let tour = Tour {
            version: "1".into(),
            id: "create-project".into(),
            name: "Creating a project".into(),
            use_when: "The person asks how to create a project.".into(),
            not_for: Some("Editing one.".into()),
            route: Some(PagePattern::new("/projects")),
            steps: vec![step("Click \"Add\".")],
            timeout: None,
            cooldown: None,
        };
        let catalogue = Catalogue::from([("create-project".into(), tour)]);
        let body = serde_json::to_value(ToursBody::new("acme", &catalogue)).unwrap();
        let expected = serde_json::json!({"product_id": "acme", "tours": [{
            "id": "create-project", "name": "Creating a project",
            "description": "The person asks how to create a project.\nNOT for: Editing one.",
            "use_when": "The person asks how to create a project.", "not_for": "Editing one.",
            "route": "/projects",
            "steps": [{"target": "#add", "title": "Create", "content": "Click \"Add\".", "placement": "bottom"}],
        }]});
        assert_eq!(body, expected);
    }
}

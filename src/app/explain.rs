//! An explanation: the poll's own decision with everything written down, as a dry run.

use std::sync::Arc;

use crate::app::{App, Denied, Question};
use crate::domain::decision::{Decision, Hold, Verdict};
use crate::domain::records::{Account, Product as ProductRecord, User};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::around::Around;
use crate::engine::decide::decide;
use crate::engine::gates::MINUTE;
use crate::engine::observe::Recording;
use crate::engine::targets::unhealthy;
use crate::engine::testers::is_tester;
use crate::rulebook::Product;
use crate::store::Key;

/// What a poll would have come to, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// The verdict.
    pub decision: Decision,
    /// Every gate, rule and clause.
    pub recording: Recording,
    /// Whether it was decided for a tester.
    pub tester: bool,
}

/// Beside the gate of a word that no poll says at present.
const UNASKED: &str =
    "said of the person elsewhere; a poll asks for it once it would offer something";

impl App {
    /// Decides as a poll at `now` would; fires, charges and writes nothing.
    pub async fn explain(
        &self,
        product: &Arc<Product>,
        question: Question<'_>,
        now: Timestamp,
    ) -> Result<Explained, Denied> {
        let mut around = self.around(product, question, now).await?;
        let key = Key { product: &product.id, id: question.session };
        let copy = |session: Option<&Session>| session.cloned().unwrap_or_default();
        let mut session = self.store.read(key, now, copy).await?;
        around.session = Some(question.session.into());
        let polled = unasked(product, &session, &around, now);
        self.look_around(product, &session, &mut around, now).await?;
        let mut recording = Recording::default();
        let mut decision = decide(product, &mut session, &around, now, &mut recording);
        if let (Some(polled), Verdict::Hold(Hold::ConsentDenied)) = (polled, decision.verdict) {
            decision = polled;
            let denied = recording.gates.iter_mut().filter(|gate| gate.name == "consent");
            denied.for_each(|gate| gate.note = Some(UNASKED.to_owned()));
        }
        self.note_pause(product, &mut recording, now);
        let tester = is_tester(product, around.session.as_deref(), &session.identity);
        Ok(Explained { decision, recording, tester })
    }

    /// Reads what a poll would learn from its claims alone: the records of the person, their account
    /// and the product.
    async fn look_around(
        &self,
        product: &Product,
        session: &Session,
        around: &mut Around,
        now: Timestamp,
    ) -> Result<(), Denied> {
        if let Some(user) = session.identity.user_key() {
            let key = Key { product: &product.id, id: user };
            around.user = self.store.read(key, now, |user: Option<&User>| user.cloned()).await?;
            around.consent = self.word_of(product, user, now).await?;
        }
        if let Some(account) = &session.identity.account {
            let key = Key { product: &product.id, id: account };
            around.account = self.store.read(key, now, |a: Option<&Account>| a.cloned()).await?;
        }
        let minute = product.settings.proactive.quotas.product_per_minute;
        let seen = |record: Option<&ProductRecord>| {
            let full = record.and_then(|record| record.fired.full_until(minute, MINUTE, now));
            let open = record.and_then(|record| record.circuit.open_until(now));
            let broken = record.map(|record| unhealthy(record, product, now)).unwrap_or_default();
            (full, open, record.map(|record| record.tallies.clone()), broken)
        };
        let seen = self.store.read(Key { product: &product.id, id: "" }, now, seen).await?;
        let (full, open, tallies, broken) = seen;
        (around.product_full_until, around.circuit_until) = (full, open);
        (around.tallies, around.unhealthy) = (tallies, broken);
        Ok(())
    }
}

/// What a poll says that would offer nothing anyway, and so asks nobody for the person's word.
fn unasked(
    product: &Product,
    session: &Session,
    around: &Around,
    now: Timestamp,
) -> Option<Decision> {
    let mut session = session.clone();
    let decision = decide(product, &mut session, around, now, &mut ());
    let open = around.scope.offer(&session, now).is_some();
    let asks =
        open || !matches!(decision.verdict, Verdict::Hold(hold) if hold != Hold::ConsentDenied);
    (!asks).then_some(decision)
}

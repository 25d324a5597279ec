//! A retrieval: what a chatbot may read of a session, found by its id or by an e-mail.

use std::sync::Arc;

use crate::app::App;
use crate::domain::records::{Chunk, Context, EmailIndex};
use crate::domain::session::Session;
use crate::domain::text::address;
use crate::domain::time::Timestamp;
use crate::engine::context::settle;
use crate::rulebook::Product;
use crate::store::{Key, Step, StoreError};

impl App {
    /// The newest `most` chunks, newest first. A known session ends the search, even when it has
    /// none; then an e-mail finds its newest session; anything else is empty.
    pub async fn retrieve(
        &self,
        product: &Arc<Product>,
        knowledge_id: &str,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<Chunk>, StoreError> {
        if let Some(chunks) = self.chunks(product, knowledge_id, most, now).await? {
            return Ok(chunks);
        }
        if !product.settings.retrieval.by_email {
            return Ok(Vec::new());
        }
        let email = address(knowledge_id);
        let key = Key { product: &product.id, id: &email };
        let find = |index: Option<&EmailIndex>| index?.session.clone();
        let Some(session) = self.store.read(key, now, find).await? else { return Ok(Vec::new()) };
        Ok(self.chunks(product, &session, most, now).await?.unwrap_or_default())
    }

    async fn chunks(
        &self,
        product: &Product,
        session: &str,
        most: usize,
        now: Timestamp,
    ) -> Result<Option<Vec<Chunk>>, StoreError> {
        let settings = &product.settings.retrieval;
        let step = |_: &mut Option<Session>, context: &mut Option<Context>| {
            let Some(context) = context else { return Step::Keep(None) };
            let next = context.next;
            settle(context, settings, now);
            let chunks = context.chunks.iter().rev().take(most).cloned().collect();
            if context.next == next { Step::Keep(Some(chunks)) } else { Step::Write(Some(chunks)) }
        };
        let key = Key { product: &product.id, id: session };
        self.store.update_session(key, now, step).await
    }
}

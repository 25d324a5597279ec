//! Settling up: what a step of a session owes to the records beside it is paid right after the step,
//! with one update per record. What the store does not take stays owed, and is paid before the
//! session's next step is answered, or by itself once the store takes it again. A process that dies
//! with debts is told of them by whoever asks again: then the session says what it owes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::app::App;
use crate::app::tape::Before;
use crate::domain::records::{Account, EmailIndex, Product as ProductRecord, User};
use crate::domain::session::Session;
use crate::domain::tally::Tallies;
use crate::domain::time::Timestamp;
use crate::engine::aftermath::Aftermath;
use crate::engine::tape::Entry;
use crate::engine::targets::unhealthy;
use crate::rulebook::Product;
use crate::store::{Key, Step, StoreError};

/// Sessions that may owe something at once; whoever asks again still has the others mended.
const MOST_DEBTORS: usize = 16_384;
/// Debts of one session that are kept.
const MOST_DEBTS: usize = 32;
/// Deliveries that are known to be whole, the latest in each place.
const WHOLE: usize = 16_384;

/// What one step of a session still owes.
pub(crate) struct Debt {
    pub(crate) owed: Aftermath,
    /// The session's sequence number after the step.
    pub(crate) left: u64,
    /// The delivery, where it has an identity.
    pub(crate) identity: Option<u64>,
    /// Its line in the journal, where nobody knows yet whether the step lasts: then neither that nor
    /// its figures are told.
    pub(crate) open: Option<Option<(Before, Entry)>>,
}

/// By product and session.
type Debtors = HashMap<(Arc<str>, Arc<str>), Vec<Debt>>;

/// What is owed at present, and what is known to be paid.
pub(crate) struct Books {
    debtors: Mutex<Debtors>,
    whole: Box<[AtomicU64]>,
}

/// What a step came to, which is known even where the store cannot say whether it lasts.
pub(crate) struct Tried<T>(Mutex<Option<Step<T>>>);

impl<T> Default for Tried<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Tried<T> {
    /// Keeps what a step came to, in place of an earlier try.
    pub(crate) fn to(&self, step: Step<T>) -> Step<()> {
        let bare = match step {
            Step::Keep(_) => Step::Keep(()),
            Step::Write(_) => Step::Write(()),
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(step);
        bare
    }

    /// The answer; where the store failed, that of a step that may last all the same.
    pub(crate) fn answer(
        self,
        stored: Result<(), StoreError>,
    ) -> Result<T, (StoreError, Option<T>)> {
        let came = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        match (stored, came) {
            (Ok(()), Some(step)) => Ok(step.into_answer()),
            (Ok(()), None) => Err((StoreError::Slow, None)),
            (Err(error), Some(Step::Write(answer))) => Err((error, Some(answer))),
            (Err(error), _) => Err((error, None)),
        }
    }
}

impl App {
    /// Counts a step that was written, and pays what it owes; what cannot be paid stays owed.
    pub(crate) async fn settle(
        &self,
        product: &Product,
        session: &str,
        debt: Debt,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.count(product, session, (&debt.owed, debt.left));
        let paid = self.settle_up(product, session, &debt.owed, now).await;
        match &paid {
            Ok(()) => self.books.note_whole(debt.identity),
            Err(_) => self.books.owe(&product.id, session, vec![debt]),
        }
        paid
    }

    /// Pays what the session still owes.
    pub(crate) async fn pay_debts(
        &self,
        product: &Product,
        session: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut debts = self.books.take(&product.id, session).into_iter();
        while let Some(mut debt) = debts.next() {
            if let Err(error) = self.pay(product, session, &mut debt, now).await {
                let left = [debt].into_iter().chain(debts).collect();
                self.books.owe(&product.id, session, left);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Pays what any session still owes, as far as the store takes it.
    ///
    /// # Errors
    /// When it does not take all of it yet; to be tried again.
    pub async fn pay_all_debts(&self) -> Result<(), StoreError> {
        let mut all = Ok(());
        for (product, session) in self.books.debtors() {
            let Some(product) = self.live.current().products.get(&product).cloned() else {
                continue;
            };
            // One that cannot be read keeps nobody else waiting; a store that is away keeps all.
            let paid = self.pay_debts(&product, &session, self.clock.now()).await;
            if paid.is_err() && self.store.trouble().is_some() {
                return paid;
            }
            all = all.and(paid);
        }
        all
    }

    async fn pay(
        &self,
        product: &Product,
        session: &str,
        debt: &mut Debt,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = Key { product: &product.id, id: session };
        // A step that did not last owes nothing, nor does a session that was removed since.
        let lasts = |session: Option<&Session>| session.is_some_and(|it| debt.lasts(it));
        if !self.store.read(key, now, lasts).await? {
            return Ok(());
        }
        if let Some(line) = debt.open.take() {
            self.count(product, session, (&debt.owed, debt.left));
            let reel = self.reel(product, session);
            if let Some((before, entry)) = line {
                reel.keep(Some(before), debt.owed.at, debt.left, || entry);
            }
        }
        self.settle_up(product, session, &debt.owed, now).await?;
        self.books.note_whole(debt.identity);
        Ok(())
    }

    /// The figures of what became of offers. A tester's are in none.
    fn count(&self, product: &Product, session: &str, (owed, left): (&Aftermath, u64)) {
        for (offer, became) in owed.answers.iter().filter(|(offer, _)| !offer.tester) {
            if let Some(outcome) = became.outcome {
                let (trigger, variant) = (&offer.trigger, offer.variant.as_ref());
                self.metrics.outcome(&product.id, trigger, variant, outcome.as_str());
            }
        }
        for goal in owed.reached.iter().filter(|goal| !goal.tester) {
            self.metrics.goal(&product.id, &goal.trigger);
        }
        if let Some((decision, _)) = &owed.ghosts {
            self.count_ghosts(product, session, (decision, left), owed.at);
        }
    }

    /// Pays once, record by record: twice is once, but for the figures of tours, which come last.
    async fn settle_up(
        &self,
        product: &Product,
        session: &str,
        owed: &Aftermath,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tallies = self.settle_person(product, owed, now).await?;
        let key = |id| Key { product: &product.id, id };
        if let Some(account) = owed.account.as_ref().filter(|_| owed.concerns_account()) {
            let step = |slot: &mut Option<Account>| {
                let news = owed.settle_account(product, &tallies, slot);
                kept(news, ())
            };
            self.store.update(key(account), now, step).await?;
        }
        if let Some((email, _)) = &owed.email {
            let step = |slot: &mut Option<EmailIndex>| {
                let news = owed.settle_email(session, slot);
                kept(news, ())
            };
            self.store.update(key(email), now, step).await?;
        }
        if owed.attempt.is_some() {
            let step = |slot: &mut Option<ProductRecord>| {
                let mut record = slot.take().unwrap_or_default();
                let news = owed.settle_product(product, &mut record);
                let found = unhealthy(&record, product, now);
                *slot = (news || record != ProductRecord::default()).then_some(record);
                kept(news, found)
            };
            let found = self.store.update(key(""), now, step).await?;
            self.saw_tours(&product.id, found);
        }
        Ok(())
    }

    /// What caps have counted of the person, where their account has to know.
    async fn settle_person(
        &self,
        product: &Product,
        owed: &Aftermath,
        now: Timestamp,
    ) -> Result<Tallies, StoreError> {
        let Some(person) = owed.person.as_ref().filter(|_| owed.concerns_person()) else {
            return Ok(Tallies::default());
        };
        let step = |slot: &mut Option<User>| {
            let news = owed.settle_user(product, slot);
            let user = slot.as_ref().filter(|_| owed.adopted.is_some());
            let tallies = user.map(|user| user.tallies.clone()).unwrap_or_default();
            kept(news, tallies)
        };
        let key = Key { product: &product.id, id: person };
        let tallies = self.store.update(key, now, step).await?;
        if let Some(word) = owed.last_word() {
            for name in [Some(person), owed.also.as_ref()].into_iter().flatten() {
                self.bury_word(product, name, word, now).await?;
            }
        }
        Ok(tallies)
    }
}

fn kept<T>(news: bool, answer: T) -> Step<T> {
    if news { Step::Write(answer) } else { Step::Keep(answer) }
}

impl Debt {
    /// Of a step that was written.
    pub(crate) fn of(owed: Aftermath, left: u64, identity: Option<u64>) -> Self {
        Self { owed, left, identity, open: None }
    }

    /// Whether its step is part of the session. Another instance may have taken another step from
    /// the same place, where this one's was lost with a master.
    fn lasts(&self, session: &Session) -> bool {
        let unknown = self.identity.filter(|_| self.open.is_some());
        let took = |identity| session.batches.iter().any(|(known, _)| *known == identity);
        session.seq >= self.left && unknown.is_none_or(took)
    }
}

impl Default for Books {
    fn default() -> Self {
        Self { debtors: Mutex::default(), whole: (0..WHOLE).map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Books {
    /// These are still owed.
    pub(crate) fn owe(&self, product: &Arc<str>, session: &str, debts: Vec<Debt>) {
        let mut debtors = self.lock();
        let key = (Arc::clone(product), Arc::from(session));
        if debtors.len() >= MOST_DEBTORS && !debtors.contains_key(&key) {
            return;
        }
        let known = debtors.entry(key).or_default();
        known.extend(debts);
        known.truncate(MOST_DEBTS);
    }

    pub(crate) fn take(&self, product: &Arc<str>, session: &str) -> Vec<Debt> {
        let mut debtors = self.lock();
        if debtors.is_empty() {
            return Vec::new();
        }
        debtors.remove(&(Arc::clone(product), session.into())).unwrap_or_default()
    }

    fn debtors(&self) -> Vec<(Arc<str>, Arc<str>)> {
        self.lock().keys().cloned().collect()
    }

    /// Whether this delivery is known to be in every record that it concerns.
    pub(crate) fn is_whole(&self, identity: Option<u64>) -> bool {
        identity.is_some_and(|id| self.place(id).is_some_and(|it| it.load(Ordering::Acquire) == id))
    }

    fn note_whole(&self, identity: Option<u64>) {
        if let Some((id, place)) = identity.and_then(|id| Some((id, self.place(id)?))) {
            place.store(id, Ordering::Release);
        }
    }

    fn place(&self, identity: u64) -> Option<&AtomicU64> {
        self.whole.get(usize::try_from(identity % WHOLE as u64).unwrap_or_default())
    }

    fn lock(&self) -> MutexGuard<'_, Debtors> {
        self.debtors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Books {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Books").field("debtors", &self.lock().len()).finish_non_exhaustive()
    }
}

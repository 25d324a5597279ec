//! What must hold of a fleet, whatever has happened.

use super::*;

impl Fleet {
    /// What was made is counted, at no earlier a time, while that matters.
    pub(super) fn is_counted(&self, offer: &Offer) {
        let person = self.sessions.iter().position(|session| session.fired.holds(&offer.id));
        let user = &self.users[person.unwrap() / 2];
        let age = self.now(3_000).since(offer.made_at);
        let counted = |ledger: Option<&Ledger>, window: i64| {
            let at = ledger.and_then(|ledger| ledger.at(&offer.id));
            let matters = age < Span::from_seconds(window);
            assert!(!matters || at >= Some(offer.made_at), "{at:?} {offer:?}");
        };
        let cap = |tallies: &Tallies, id: &str| {
            tallies.iter().find(|(known, _)| ***known == *id).map(|(_, ledger)| ledger.clone())
        };
        counted(Some(&user.fired), 86_400);
        counted(Some(&self.record.fired), 60);
        for (tallies, (id, _, window)) in
            [&user.tallies, &self.account.tallies, &self.record.tallies].into_iter().zip(CAPS)
        {
            counted(cap(tallies, id).as_ref(), window);
        }
        let rests = self.product.rules.iter().find(|rule| rule.id == offer.trigger).unwrap();
        if rests.again_after.is_some_and(|rest| age < rest) {
            let rests = user.triggers[&offer.trigger].fired >= Some(offer.made_at);
            assert!(rests, "its trigger does not rest for the person: {offer:?}");
        }
    }

    /// Nobody is under way any more.
    pub(super) fn ends(&mut self) {
        while !self.under_way.is_empty() {
            self.step(0);
        }
        self.made.values().for_each(|offer| self.is_counted(offer));
        self.keeps_windows();
        for offer in &self.attempted {
            if !self.made.contains_key(offer) && !self.abandoned.contains(offer) {
                self.is_gone(offer);
            }
        }
    }

    fn keeps_windows(&self) {
        let person = |offer: &Offer| {
            self.sessions.iter().position(|session| session.fired.holds(&offer.id)).unwrap() / 2
        };
        let mut counts: Vec<(usize, i64, Vec<Timestamp>)> = Vec::new();
        let all = || self.made.values().map(|offer| offer.made_at).collect::<Vec<_>>();
        counts.push((PER_MINUTE, 60, all()));
        for (_, limit, window) in CAPS.into_iter().skip(1) {
            counts.push((limit, window, all()));
        }
        for place in 0..self.users.len() {
            let theirs = self.made.values().filter(|offer| person(offer) == place);
            counts.push((CAPS[0].1, CAPS[0].2, theirs.map(|offer| offer.made_at).collect()));
        }
        for (limit, window, mut times) in counts {
            times.sort_unstable();
            for times in times.windows(limit + 1) {
                let took = times[limit].since(times[0]);
                assert!(took >= Span::from_seconds(window), "{limit} in {window} s: {times:?}");
            }
        }
    }

    fn is_gone(&self, offer: &str) {
        for user in &self.users {
            assert!(!user.fired.holds(offer) && !user.tallies.holds(offer), "{offer} {user:?}");
            assert!(!user.groups.holds(offer), "{offer} {user:?}");
        }
        for thread in &self.conversations {
            let shows = thread.offer.as_deref() == Some(offer)
                && thread.machine.state == AgentState::ProactiveAssistance;
            assert!(!shows, "{offer} {thread:?}");
        }
        assert!(!self.account.tallies.holds(offer), "{offer} {:?}", self.account);
        assert!(!self.record.fired.holds(offer), "{offer} {:?}", self.record);
        assert!(!self.record.tallies.holds(offer), "{offer} {:?}", self.record);
    }
}

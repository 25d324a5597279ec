//! Work spread over all cores: each takes the next piece until none is left.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many threads can work at once.
pub(in crate::cli) fn count() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// What every core made of the pieces that it took; with their places. Which core takes which is
/// chance.
pub(in crate::cli) fn parts<T: Sync, P: Default + Send>(
    pieces: &[T],
    work: impl Fn(&mut P, usize, &T) + Sync,
) -> Vec<P> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut part = P::default();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = pieces.get(place) else { return part };
            work(&mut part, place, piece);
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count().min(pieces.len())).map(|_| scope.spawn(take)).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.map(|part| part.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// What becomes of each piece, in their order.
pub(in crate::cli) fn each<T: Sync, R: Send>(
    pieces: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let made = parts(pieces, |part: &mut Vec<(usize, R)>, place, piece| {
        part.push((place, work(piece)));
    });
    let mut made: Vec<_> = made.into_iter().flatten().collect();
    made.sort_unstable_by_key(|(place, _)| *place);
    made.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_taken_once() {
        let pieces: Vec<u64> = (0..1_000).collect();
        let sums = parts(&pieces, |sum: &mut u64, _, piece| *sum += piece);
        assert_eq!(sums.into_iter().sum::<u64>(), 499_500);
        assert_eq!(each(&pieces, |piece| piece + 1), (1..=1_000).collect::<Vec<_>>());
        assert!(each(&[0; 0], |piece| *piece).is_empty());
    }
}

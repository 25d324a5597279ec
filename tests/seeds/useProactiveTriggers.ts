// useProactiveTriggers.ts
import { useEffect, useRef, useState } from 'react';
import posthog from 'posthog-js';

const POLL_INTERVAL_MS = 20_000;
// Short local suppression bridging the gap between a dismiss POST and the
// next poll observing the updated server state.
const LOCAL_RACE_WINDOW_MS = 30_000;

export function useProactiveTriggers() {
  const [trigger, setTrigger] = useState(null);
  const cooldowns = useRef(new Map());

  useEffect(() => {
    let cancelled = false;
    let timer: number | null = null;

    const poll = async () => {
      const sessionId = posthog.get_session_id?.();
      if (!sessionId) {
        timer = window.setTimeout(poll, POLL_INTERVAL_MS);
        return;
      }
      const conversationId = `proactive:${sessionId}`;
      try {
        const resp = await fetch(
          `${CONNECTOR_URL}/context/${PRODUCT_ID}/${encodeURIComponent(sessionId)}` +
            `?conversation_id=${encodeURIComponent(conversationId)}`,
        );
        if (resp.ok) {
          const json = await resp.json();
          const incoming = json?.proactive_trigger ?? null;
          if (incoming) {
            const suppressedUntil = cooldowns.current.get(incoming.trigger_id) ?? 0;
            if (Date.now() >= suppressedUntil && !cancelled) {
              setTrigger((prev) =>
                prev?.trigger_id === incoming.trigger_id ? prev : incoming,
              );
            }
          } else if (!cancelled) {
            setTrigger(null);
          }
        }
      } catch {/* network blip — retry next tick */}
      if (!cancelled) timer = window.setTimeout(poll, POLL_INTERVAL_MS);
    };

    timer = window.setTimeout(poll, 5_000); // short startup delay
    return () => { cancelled = true; if (timer) window.clearTimeout(timer); };
  }, []);

  const dismiss = () => {
    setTrigger((current) => {
      if (current) {
        cooldowns.current.set(current.trigger_id, Date.now() + LOCAL_RACE_WINDOW_MS);
      }
      return null;
    });
  };

  return { trigger, dismiss };
}

// proactiveAgentState.ts
export function emitAgentStateEvent(event: string) {
  const sessionId = posthog.get_session_id?.();
  if (!sessionId) return;
  const conversationId = `proactive:${sessionId}`;
  void fetch(
    `${CONNECTOR_URL}/agent_state/${PRODUCT_ID}/${encodeURIComponent(conversationId)}`,
    {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ event }),
    },
  ).catch(() => {/* fire-and-forget */});
}

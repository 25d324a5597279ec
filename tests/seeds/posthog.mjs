// The one question the seeds ask of posthog-js.
export default { get_session_id: () => globalThis.SESSION_ID };

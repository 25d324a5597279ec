// In your chat/widget root component
import { useProactiveTriggers } from './useProactiveTriggers';
import { emitAgentStateEvent }   from './proactiveAgentState';
import { ProactiveHelpToast }    from './ProactiveHelpToast';

export function ChatWidget() {
  const { trigger, dismiss } = useProactiveTriggers();
  const [chatOpen, setChatOpen]             = useState(false);
  const [pendingPrefill, setPendingPrefill] = useState<string | null>(null);

  const handleAccept = () => {
    if (!trigger) return;
    emitAgentStateEvent('proactive_accepted_tour');
    startVisualGuidance({
      onComplete: () => emitAgentStateEvent('tour_completed'),
      onAbandon:  () => emitAgentStateEvent('tour_abandoned'),
    });
    setPendingPrefill("I could use some help with what I'm currently doing.");
    setChatOpen(true);
    dismiss();
  };

  const handleDismiss = () => {
    emitAgentStateEvent('proactive_dismissed');
    dismiss();
  };

  return (
    <>
      {trigger && (
        <ProactiveHelpToast
          trigger={trigger}
          onAccept={handleAccept}
          onDismiss={handleDismiss}
        />
      )}
      {chatOpen && (
        <DifyChatWindow
          prefill={pendingPrefill}
          sessionId={posthog.get_session_id()}
        />
      )}
    </>
  );
}

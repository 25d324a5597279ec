// ProactiveHelpToast.tsx
export function ProactiveHelpToast({ trigger, onAccept, onDismiss }) {
  const acceptLabel  = trigger.reply_option_labels?.[0] ?? 'Show me how';
  const dismissLabel = trigger.reply_option_labels?.[1] ?? 'No thanks';

  return (
    <div className="fixed bottom-24 right-6 w-80 rounded-lg border bg-background p-4 shadow-xl">
      <p className="text-sm">{trigger.body}</p>
      <div className="mt-3 flex justify-end gap-2">
        <button
          className="text-sm text-muted-foreground hover:underline"
          onClick={onDismiss}
        >
          {dismissLabel}
        </button>
        <button
          className="rounded bg-primary px-3 py-1.5 text-sm text-primary-foreground"
          onClick={onAccept}
        >
          {acceptLabel}
        </button>
      </div>
    </div>
  );
}

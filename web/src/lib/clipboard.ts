/**
 * Puts a text on the clipboard; false if the browser refuses. Pages that come over plain HTTP, as
 * within an office, have no clipboard of their own: there a selected text is copied.
 */
export async function copyText(text: string): Promise<boolean> {
  if (isSecureContext) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  const before = document.activeElement;
  const field = document.createElement('textarea');
  field.value = text;
  field.setAttribute('aria-hidden', 'true');
  field.className = 'fixed size-0 opacity-0';
  // Within an open dialog, which keeps the focus to itself.
  (before?.closest('[role="dialog"]') ?? document.body).append(field);
  field.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- nothing else works without HTTPS
  const copied = document.execCommand('copy');
  field.remove();
  if (before instanceof HTMLElement) before.focus();
  return copied;
}

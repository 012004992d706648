/** What windows of one browser tell each other: they share a session, so also its project. */
export type TabNews = { kind: 'project'; id: string; name: string } | { kind: 'signed-out' };

const channel =
  typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('leadpulse.session');

export function tellTabs(news: TabNews): void {
  channel?.postMessage(news);
}

export function onTabNews(listener: (news: TabNews) => void): () => void {
  const heard = (event: MessageEvent<TabNews>) => listener(event.data);
  channel?.addEventListener('message', heard);
  return () => channel?.removeEventListener('message', heard);
}

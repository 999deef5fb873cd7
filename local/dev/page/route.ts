/** The view that the hash of the address names. A link with it can be shared within one run. */
export type Route =
  | { view: 'chains'; search: string; state: string }
  | { view: 'chain'; chainId: string; messageId: string | undefined }
  | { view: 'tasks' }
  | { view: 'deadLetters' }
  | { view: 'send'; taskName: string | undefined };

/** The route of a hash. The list of chains, if it is unknown. */
export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [view, chainId, messageId] = path.split('/').map(decode);
  const params = new URLSearchParams(query);
  if (view === 'chains' && chainId) return { view: 'chain', chainId, messageId: messageId || undefined };
  if (view === 'tasks') return { view };
  if (view === 'dead-letters') return { view: 'deadLetters' };
  if (view === 'send') return { view, taskName: params.get('task') ?? undefined };
  return { view: 'chains', search: params.get('search') ?? '', state: params.get('state') ?? '' };
}

/** The hash of a list of chains. */
export function chainsHash(search: string, state: string): string {
  const params = new URLSearchParams();
  if (search) params.set('search', search);
  if (state) params.set('state', state);
  return params.size > 0 ? `#/chains?${params}` : '#/chains';
}

/** The hash of a chain, or of one of its tasks. */
export function chainHash(chainId: string, messageId?: string): string {
  const chain = `#/chains/${encodeURIComponent(chainId)}`;
  return messageId === undefined ? chain : `${chain}/${encodeURIComponent(messageId)}`;
}

/** The hash of the form that sends a task. */
export function sendHash(taskName: string): string {
  return `#/send?${new URLSearchParams({ task: taskName })}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

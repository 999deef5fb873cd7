/** The message attribute that identifies a chain. */
export const chainIdName = 'chain_id';

/** The values that a chain id may have: it ends up in logs and queries. */
export const chainIdPattern: RegExp = /^[\w.:-]{1,128}$/;

/** The id of the chain that a message belongs to. Without a valid one, the chain starts with the message. */
export function chainIdOf(attributes: Readonly<Record<string, string>>, messageId: string): string {
  const sent = attributes[chainIdName];
  return sent !== undefined && chainIdPattern.test(sent) ? sent : messageId;
}

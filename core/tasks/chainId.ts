/** The message attribute that identifies a chain. */
export const chainIdName = 'chain_id';

/** The format of a chain id, which appears in logs and queries. */
export const chainIdPattern: RegExp = /^[\w.:-]{1,128}$/;

/** The id of the chain that a message belongs to. Without a valid id, the chain starts with the message. */
export function chainIdOf(attributes: Readonly<Record<string, string>>, messageId: string): string {
  const sent = attributes[chainIdName];
  return sent !== undefined && chainIdPattern.test(sent) ? sent : messageId;
}

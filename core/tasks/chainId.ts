/** The message attribute that identifies a chain. */
export const chainIdName = 'chain_id';

/** The format of a chain id, which appears in logs, queries and the keys of objects. */
export const chainIdPattern: RegExp = /^(?!\.{1,2}$)[\w.:-]{1,128}$/;

/**
 * The id of the chain that a message belongs to. Without a valid id, the chain starts with the message.
 *
 * The id of a message is that of AWS, unless somebody has written the envelope by hand.
 */
export function chainIdOf(attributes: Readonly<Record<string, string>>, messageId: string): string {
  const sent = attributes[chainIdName];
  if (sent !== undefined && chainIdPattern.test(sent)) return sent;
  if (chainIdPattern.test(messageId)) return messageId;
  return messageId.slice(0, 128).replace(/[^\w:-]/g, '_');
}

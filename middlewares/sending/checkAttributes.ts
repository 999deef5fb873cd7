import { OptionError } from '../../core/errors.ts';
import { chainIdName, chainIdPattern } from '../../core/tasks/chainId.ts';
import { attributeProblem } from '../aws/snsMessage.ts';
import { attributeOptions } from '../callbacks/extraCallbacks.ts';
import type { SendTaskOptions } from '../sendTask.ts';

/** Attributes must be valid, and must not set what an option sets. `chain_id` is the same as the option `chainId`. */
export function checkAttributes(
  owner: string,
  { attributes = {}, chainId }: Pick<SendTaskOptions, 'attributes' | 'chainId'>,
): void {
  for (const [name, value] of Object.entries(attributes)) {
    const option = attributeOptions[name];
    if (option) throw new OptionError(`${owner}: attributes.${name} is set by the option ${option}.`);
    const problem = attributeProblem(name, value);
    if (problem) throw new OptionError(`${owner}: attributes.${name.slice(0, 80)} ${problem}.`);
  }
  const given = attributes[chainIdName];
  if (given === undefined) return;
  if (chainId !== undefined && chainId !== given) {
    throw new OptionError(`${owner}: attributes.${chainIdName} differs from the option chainId.`);
  }
  if (!chainIdPattern.test(given)) {
    throw new OptionError(`${owner}: attributes.${chainIdName} must be 1 to 128 letters, digits and "_.:-".`);
  }
}

/** The message of a task, around arguments that are already ajson. */
export function taskMessage(taskName: string, kwargs: string, callback?: string | null): string {
  const chain = callback ? `,"callback":${JSON.stringify(callback)}` : '';
  const message = `{"task_name":${JSON.stringify(taskName)},"task_kwargs":${kwargs}${chain}}`;
  return message.replace(noncharacters, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}

/** SQS refuses these characters. */
const noncharacters = /[\uFFFE\uFFFF]/g;

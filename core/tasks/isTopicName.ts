const topicName = /^(?=.{1,256}$)[A-Za-z0-9_-]+(\.fifo)?$/;

/** Whether SNS allows a topic of this name: ASCII letters, digits, `_` and `-`, up to 256, `.fifo` at the end. */
export function isTopicName(name: string): boolean {
  return topicName.test(name);
}

/** A message for a task's topic. */
export interface TaskMessage {
  /** The ARN of the topic. */
  topicArn: string;
  /** The ajson of the task. */
  message: string;
  /** The subject of the message. */
  subject?: string;
  /** Message attributes: strings and numbers. */
  attributes?: Readonly<Record<string, string | number>>;
  /** For a FIFO topic: the message group, within which the order is kept. */
  groupId?: string | undefined;
  /** For a FIFO topic: an id that stays the same when the same message is sent again. */
  deduplicationId?: string;
}

/** Sends messages to topics. */
export interface TaskPublisher {
  /**
   * Sends messages in as few calls as possible.
   *
   * @returns undefined for each message that was sent, else its error, in the order of the messages
   */
  publish(messages: readonly TaskMessage[], signal?: AbortSignal): Promise<(Error | undefined)[]>;
}

/** A message on its way to a task's topic. */
export interface TaskMessage {
  topicArn: string;
  /** The ajson of the task. */
  message: string;
  subject?: string;
  /** Message attributes: texts and numbers. */
  attributes?: Readonly<Record<string, string | number>>;
  /** For a FIFO topic: the group whose order is kept. */
  groupId?: string | undefined;
  /** For a FIFO topic: the same for the same message, however often it is sent. */
  deduplicationId?: string;
}

/** What brings messages to topics: SNS, on AWS. */
export interface TaskPublisher {
  /**
   * Sends messages, in as few calls as it takes.
   *
   * @returns for each message, in their order, undefined when it was sent, or what went wrong
   */
  publish(messages: readonly TaskMessage[], signal?: AbortSignal): Promise<(Error | undefined)[]>;
}

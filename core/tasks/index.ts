export {
  type CheckedKwargsOf,
  defineTasks,
  type FittingCallback,
  type KwargsOf,
  type ResultOf,
  TaskArgumentsError,
  type TaskDefinition,
  type TaskDefinitions,
} from './defineTasks.ts';
export { type ChainEnd, endChain } from './endChain.ts';
export { CallbackError, type NextTask, nextTask } from './nextTask.ts';
export {
  type DefinedFunctions,
  type RoutedExtras,
  type RoutedHandler,
  routeTasks,
  type TaskFunction,
  UnknownTaskError,
} from './routeTasks.ts';
export { type SchemaIssue, type StandardSchema, typed } from './standardSchema.ts';
export { isTask, type Task } from './task.ts';
export type { TaskMessage, TaskPublisher } from './taskPublisher.ts';

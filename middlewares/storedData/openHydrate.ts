import { stoppedBy } from '../../core/batch/deadline.ts';
import type { TaskRun } from '../../core/batch/stage.ts';
import { hydrate } from '../../core/storedData/hydrate.ts';
import type { StoredDataHydrateOptions } from '../storedDataHydrate.ts';
import { hydrateSettings } from './hydrateSettings.ts';

/** The count in the summary of a batch. */
const bytesHydrated = 'bytes_hydrated';

/**
 * Makes the function with which `storedDataHydrate` replaces the pointers in a value.
 *
 * @returns a function of the value, its path in the message, and the run that reads it
 */
export function openHydrate(
  options: StoredDataHydrateOptions,
): <T>(value: T, path: string, run: TaskRun) => Promise<T> {
  const settings = hydrateSettings(options);

  return (value, path, { signal, counts }) => {
    const onRead = (bytes: number) => {
      counts[bytesHydrated] = (counts[bytesHydrated] ?? 0) + bytes;
    };
    return stoppedBy(signal, hydrate(value, path, { ...settings, signal, onRead }));
  };
}

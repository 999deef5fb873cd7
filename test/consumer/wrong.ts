import { queued, sendTask, type Task } from 'algernon-middy';

// Without the types of the package these lines would compile, and the directives would be errors.
// @ts-expect-error task_name must be a string
export const task: Task = { task_name: 7 };

// @ts-expect-error the option is called concurrency
export const handler = queued(() => {}, { concurrent: 1 });

// @ts-expect-error topics must map names to ARNs
void sendTask({ task_name: 'resize' }, { topics: { resize: 1 } });

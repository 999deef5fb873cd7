import type { Equivalents } from '../score.ts';

export const equivalent: Equivalents = {
  'core/tasks/defineTasks.ts': [
    [
      'const schema = Object.hasOwn(tasks, taskName) ? tasks[taskName]?.kwargs : undefined;',
      'const schema = Object.hasOwn(tasks, taskName) ? tasks[taskName].kwargs : undefined;',
      'defineTasks refuses a task without a definition: the ?. is for the compiler',
    ],
  ],
  'core/tasks/routedTasks.ts': [
    [
      "return standard?.jsonSchema?.input({ target: 'draft-2020-12' });",
      "return standard?.jsonSchema.input({ target: 'draft-2020-12' });",
      'the catch gives undefined as well',
    ],
    [
      "return standard?.jsonSchema?.input({ target: 'draft-2020-12' });",
      "return standard.jsonSchema?.input({ target: 'draft-2020-12' });",
      'the catch gives undefined as well',
    ],
    ['} catch {', '} catch {}', 'a function without a return gives undefined as well'],
  ],
};

import { Console } from 'node:console';
import { Writable } from 'node:stream';
import type { Logger } from '@aws-lambda-powertools/logger';

/** A log line of Powertools. */
export type Line = Record<string, unknown> & { level: string; message: string };

/** Captures the lines of a logger instead of printing them. */
export function capturedLines(logger: Logger): { texts: string[]; lines(): Line[]; errors(): Line[] } {
  const texts: string[] = [];
  const stream = new Writable({
    write(chunk, _, done) {
      texts.push(...String(chunk).split('\n').filter(Boolean));
      done();
    },
  });
  logger['console'] = new Console(stream, stream);
  logger['console'].trace = (text: string) => logger['console'].log(text);
  const lines = () => texts.map((text) => JSON.parse(text) as Line);
  return { texts, lines, errors: () => lines().filter(({ level }) => level === 'ERROR') };
}

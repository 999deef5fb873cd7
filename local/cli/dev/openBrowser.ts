import { spawn } from 'node:child_process';

const commands: Readonly<Record<string, readonly string[]>> = {
  darwin: ['open'],
  // The first argument in quotes would be the title of a window.
  win32: ['cmd', '/c', 'start', '""'],
};

/** Opens a page in the browser, if there is one. */
export function openBrowser(url: string): void {
  const [command = '', ...words] = commands[process.platform] ?? ['xdg-open'];
  const child = spawn(command, [...words, url], { stdio: 'ignore', detached: true });
  // The URL is printed too.
  child.on('error', () => {});
  child.unref();
}

/** Whether a person is at the terminal. */
export function isInteractive(): boolean {
  return process.stdout.isTTY === true && !process.env.CI;
}

/** Resolves when the process is asked to end. A second Ctrl-C ends it at once. */
export function untilStopped(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = () => {
    for (const signal of signals) process.removeListener(signal, stop);
    resolve();
  };
  for (const signal of signals) process.on(signal, stop);
  return promise;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

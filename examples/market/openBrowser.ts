import { spawn } from 'node:child_process';
import { platform } from 'node:process';

/** Opens a page in the browser of this machine. Without one, nothing happens. */
export function openBrowser(url: string): void {
  const [command, ...args] = commandOf(url);
  const browser = spawn(command, args, { stdio: 'ignore', detached: true });
  browser.once('error', () => {});
  browser.unref();
}

function commandOf(url: string): [string, ...string[]] {
  if (platform === 'darwin') return ['open', url];
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', url];
  return ['xdg-open', url];
}

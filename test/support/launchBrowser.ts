import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import chromium, { inflate, setupLambdaEnvironment } from '@sparticuz/chromium';
import { type Browser, chromium as playwright } from 'playwright-core';

/** The arguments are made for Lambda, where one process must do. They would also switch off what protects a page. */
const unwanted = [
  '--single-process',
  '--no-zygote',
  '--disable-web-security',
  '--allow-running-insecure-content',
];

/** Launches the Chromium that comes with npm, so that no test of a page depends on the machine. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = await chromium.executablePath();
  const args = chromium.args.filter((argument) => !unwanted.includes(argument));
  const launch = () => playwright.launch({ executablePath, args, timeout: 60_000 });
  try {
    return await launch();
  } catch {
    // A machine without libnss: the package has the libraries of Amazon Linux.
    const folder = join(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '../bin');
    const libraries = await inflate(join(folder, 'al2023.tar.br'));
    setupLambdaEnvironment(join(libraries, 'lib'));
    return launch();
  }
}

#!/usr/bin/env node
import { main } from './cli/main.ts';

const code = await main(process.argv.slice(2));
// The worker of a replay may hold connections open. What was written must reach a pipe first.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));

import { execFileSync } from 'node:child_process';

/** Versions of what users bring, to be tried together. */
export interface Combination {
  name: string;
  /** For `npm install`, which refuses what the peer ranges do not admit. */
  packages: string[];
  /** Whether npm may install what the peer ranges of other packages do not admit. Default false. */
  force?: boolean;
  /** Versions of Node. */
  nodes: string[];
}

const middy = ['@middy/core', '@middy/sqs-partial-batch-failure'];
const aws = ['client-s3', 'client-sns', 'client-sqs'].map((name) => `@aws-sdk/${name}`);
const types = ['@types/node@24', '@types/aws-lambda'];
const tools = [
  ...['fauxqs', 'esbuild', '@aws/durable-execution-sdk-js', '@aws/durable-execution-sdk-js-testing'],
  ...['rollup', 'rollup-plugin-esbuild', '@rollup/plugin-node-resolve', '@rollup/plugin-commonjs'],
  ...['@rollup/plugin-json', '@rspack/core', '@rspack/cli'],
];

/** The oldest versions that are supported, the latest, and what the registry has beyond those. */
export function allCombinations(): Combination[] {
  const latest = [...middy, ...aws, '@opentelemetry/sdk-trace-base', 'typescript'].map(
    (name) => `${name}@latest`,
  );
  const preview = [...middy, '@opentelemetry/sdk-trace-base', 'typescript'].flatMap(previewOf);
  const named = new Set(preview.map(nameOf));
  return [
    {
      name: 'oldest',
      packages: ['@middy/core@6', '@middy/sqs-partial-batch-failure@6.4.5', '@opentelemetry/api@1.9.0']
        .concat('@opentelemetry/sdk-trace-base@2.0.0', 'typescript@5.9', ...types, ...tools)
        .concat(aws.map((name) => `${name}@3.1000.0`)),
      nodes: ['22.13.0', '22'],
    },
    // npm takes the newest API that OpenTelemetry's SDK admits.
    { name: 'latest', packages: [...latest, ...types, ...tools], nodes: ['22', '24', '26'] },
    {
      name: 'preview',
      packages: [...preview, ...latest.filter((name) => !named.has(nameOf(name))), ...types, ...tools]
        // Newer than what OpenTelemetry's SDK admits.
        .concat('@opentelemetry/api@latest'),
      force: true,
      nodes: ['24', '26'],
    },
  ];
}

function nameOf(spec: string): string {
  return spec.slice(0, spec.lastIndexOf('@'));
}

/** The version under a tag such as `next`, if it is newer than the latest. */
function previewOf(name: string): string[] {
  const tags = JSON.parse(execFileSync('npm', ['view', name, 'dist-tags', '--json'], { encoding: 'utf8' }));
  const { latest, ...others } = tags as Record<string, string>;
  const found = ['next', 'rc', 'beta', 'alpha'].map((tag) => others[tag]).find(Boolean);
  return found && isNewer(found, latest ?? '0') ? [`${name}@${found}`] : [];
}

function isNewer(version: string, than: string): boolean {
  const [ours = [], theirs = []] = [version, than].map((text) => text.split(/[.-]/).slice(0, 3).map(Number));
  const place = ours.findIndex((part, index) => part !== theirs[index]);
  return place >= 0 && Number(ours[place]) > Number(theirs[place]);
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  type CloudFormation,
  plainPolicy,
  plainReferences,
  type Resource,
  readTemplate,
} from '../support/cloudFormation.ts';
import { runCdk } from '../support/runCdk.ts';

/** The SAM template's name for each CDK resource. */
const names: [RegExp, string][] = [
  [/^imagesFunctionSqsEventSource.*(resize|describe)Queue$/, '$1Batches'],
  [/^images(resize|describe)QueueImages.*Topic$/, '$1Subscription'],
  [/^imagesFunction$/, 'Worker'],
  [/^images(Logs|Role)$/, 'Worker$1'],
  [/^images/, ''],
];

function samName(id: string): string {
  const path = id.replace(/([0-9A-F]{8})+$/, '');
  const [pattern, name] = names.find(([pattern]) => pattern.test(path)) ?? [];
  expect(pattern).toBeDefined();
  const renamed = pattern ? path.replace(pattern, name ?? '') : path;
  return renamed.charAt(0).toUpperCase() + renamed.slice(1);
}

type Resources = Record<string, Resource>;

/** Normalises a template: references in one form, policies as lists, no code. */
function plainResources({ Resources }: CloudFormation, rename: (id: string) => string): Resources {
  const plain: Resources = {};
  for (const [id, { Type, Properties, DeletionPolicy, UpdateReplacePolicy }] of Object.entries(Resources)) {
    const { Code: _, CodeUri, ...properties } = plainReferences(Properties, rename) as Resource['Properties'];
    for (const [key, value] of Object.entries(properties)) {
      if (key.endsWith('PolicyDocument')) properties[key] = plainPolicy(value as never);
    }
    plain[rename(id)] = {
      Type,
      Properties: properties,
      ...(DeletionPolicy && { DeletionPolicy }),
      ...(UpdateReplacePolicy && { UpdateReplacePolicy }),
    };
  }
  return plain;
}

/** The CDK puts the policy of a role into a separate resource. */
function fromCdk(): Resources {
  const template: CloudFormation = runCdk('examples/cdk/app.ts', (folder) =>
    JSON.parse(readFileSync(join(folder, 'Images.template.json'), 'utf8')),
  );
  const { RoleDefaultPolicy, ...resources } = plainResources(template, samName);
  const { WorkerRole } = resources;
  expect(RoleDefaultPolicy?.Properties['Roles']).toEqual([expect.stringMatching(/^\$\{WorkerRole\}$/)]);
  Object.assign(WorkerRole?.Properties ?? {}, { policy: RoleDefaultPolicy?.Properties['PolicyDocument'] });
  return resources;
}

/** SAM applies its globals to all functions. */
function fromSam(): Resources {
  const text = readFileSync(new URL('../../examples/sam/template.yaml', import.meta.url), 'utf8');
  const template = readTemplate(text);
  const resources = plainResources(template, (id) => id);
  for (const resource of Object.values(resources)) {
    if (resource.Type !== 'AWS::Serverless::Function') continue;
    resource.Type = 'AWS::Lambda::Function';
    resource.Properties = { ...template.Globals?.Function, ...resource.Properties };
  }
  const { Policies, ...role } = resources['WorkerRole']?.Properties ?? {};
  const [policy, ...others] = Policies as { PolicyDocument: never }[];
  expect(others).toEqual([]);
  Object.assign(resources['WorkerRole'] ?? {}, {
    Properties: { ...role, policy: policy && plainPolicy(policy.PolicyDocument) },
  });
  return resources;
}

describe('the SAM template matches the CDK stack', () => {
  const [sam, cdk] = [fromSam(), fromCdk()];

  test('has the same resources', () => {
    expect(Object.keys(sam).sort()).toEqual(Object.keys(cdk).sort());
  });

  test.each(Object.keys(cdk))('%s', (name) => {
    expect(sam[name]).toEqual(cdk[name]);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  type CloudFormation,
  plainPolicy,
  plainReferences,
  type Resource,
  readTemplate,
  withParameters,
} from '../support/cloudFormation.ts';
import { runCdk } from '../support/runCdk.ts';

/** The SAM template's name for each CDK resource. */
const names: [RegExp, string][] = [
  [/^imagesFunctionSqsEventSource.*(resize|describe|gather)Queue$/, '$1Batches'],
  [/^images(resize|describe|gather)QueueImages.*Topic$/, '$1Subscription'],
  [/^imagesFunction$/, 'Worker'],
  [/^images(Logs|Role)$/, 'Worker$1'],
  [/^images/, ''],
  [/^Schedules/, 'Schedules'],
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

/** The CDK puts the policies of roles into separate resources. */
function fromCdk(): Resources {
  const template: CloudFormation = runCdk('examples/cdk/app.ts', (folder) =>
    JSON.parse(readFileSync(join(folder, 'Images.template.json'), 'utf8')),
  );
  const resources = plainResources(template, samName);
  for (const [name, { Type, Properties }] of Object.entries(resources)) {
    if (Type !== 'AWS::IAM::Policy') continue;
    delete resources[name];
    const [role = ''] = Properties['Roles'] as string[];
    Object.assign(resources[role.slice(2, -1)]?.Properties ?? {}, { policy: Properties['PolicyDocument'] });
  }
  return resources;
}

const template = readTemplate(
  readFileSync(new URL('../../examples/sam/template.yaml', import.meta.url), 'utf8'),
);

/** SAM applies its globals to all functions, and the policies of roles are in them. */
function fromSam(): Resources {
  const resources = plainResources(withParameters(template), (id) => id);
  for (const resource of Object.values(resources)) {
    if (resource.Type === 'AWS::Serverless::Function') {
      resource.Type = 'AWS::Lambda::Function';
      resource.Properties = { ...template.Globals?.Function, ...resource.Properties };
    }
    if (resource.Type === 'AWS::IAM::Role') {
      const { Policies, ...role } = resource.Properties;
      const [policy, ...others] = Policies as { PolicyDocument: never }[];
      expect(others).toEqual([]);
      resource.Properties = { ...role, policy: policy && plainPolicy(policy.PolicyDocument) };
    }
  }
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

describe('the parameters of the SAM template', () => {
  const mappings = (values: Record<string, unknown>) =>
    Object.values(withParameters(template, values).Resources)
      .filter(({ Type }) => Type === 'AWS::Lambda::EventSourceMapping')
      .map(({ Properties: { ScalingConfig, ProvisionedPollerConfig } }) => ({
        ScalingConfig,
        ProvisionedPollerConfig,
      }));

  test('limit the concurrency of each queue', () => {
    const scaling = { ScalingConfig: { MaximumConcurrency: 7 }, ProvisionedPollerConfig: undefined };
    expect(mappings({ MaxConcurrency: 7 })).toEqual(Array(3).fill(scaling));
  });

  test('keep pollers ready', () => {
    const ProvisionedPollerConfig = { MinimumPollers: 2, MaximumPollers: 200 };
    expect(mappings({ MinimumPollers: 2 })).toEqual(
      Array(3).fill({ ScalingConfig: undefined, ProvisionedPollerConfig }),
    );
  });

  test('do neither by default', () => {
    const neither = { ScalingConfig: undefined, ProvisionedPollerConfig: undefined };
    expect(mappings({})).toEqual(Array(3).fill(neither));
  });
});

import { type OptionCheck, text, withMethod } from '../../core/checkOptions.ts';
import { isFolderName } from '../../core/storedData/pointer.ts';

/** An AWS client. */
export function awsClient(name: string): OptionCheck {
  return withMethod('send', `an ${name}`);
}

/** The name of a bucket. An ARN does not fit into a pointer; the alias of an access point does. */
export const bucketName: OptionCheck = /* @__PURE__ */ text(
  'the name of a bucket, or the alias of an access point',
  /^[\w.-]+$/,
);

/** The name of a folder in a pointer. */
export const folderName: OptionCheck = {
  expected: 'the name of a folder, without # and !',
  test: (value: unknown) => typeof value === 'string' && isFolderName(value),
};

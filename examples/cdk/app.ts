import { App } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { bundleWorker } from './bundleWorker.ts';
import { ImagesStack } from './ImagesStack.ts';

const app = new App();
new ImagesStack(app, 'Images', { code: Code.fromAsset(bundleWorker()) });
app.synth();

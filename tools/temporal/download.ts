import { TestWorkflowEnvironment } from '@temporalio/testing';
import { temporalVersion } from './version.ts';

// Run as a program with the folder to download to. The SDK downloads only in order to start a server: end that at once.
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: download.ts <folder>');
const executable = { type: 'cached-download', version: `v${temporalVersion}`, downloadDir: folder } as const;
const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } });
await environment.teardown();

import { runOnNode } from './bootstrap.mjs';

runOnNode('tools/test.ts', process.argv.slice(2));

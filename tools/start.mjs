import { runOnNode } from './bootstrap.mjs';

runOnNode('tools/start/main.ts', process.argv.slice(2), { tethered: true });

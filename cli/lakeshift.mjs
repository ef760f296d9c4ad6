#!/usr/bin/env node
// Runs on the machine's own Node (20 or newer); everything else runs on the Node that bootstrap finds.
import { runOnNode } from '../tools/bootstrap.mjs';

runOnNode('cli/main.ts', process.argv.slice(2));

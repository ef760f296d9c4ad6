// node tools/run.mjs <file> [arguments]: runs a script of this repository on Node 24, dependencies included.
import { runOnNode } from './bootstrap.mjs';

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('usage: node tools/run.mjs <file> [arguments]\n');
  process.exit(2);
}
runOnNode(file, args);

// Runs on the machine's own Node (20 or newer) with nothing installed: only built-in modules here.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const wanted = 24;

/** Installs what is missing and gives the path of a Node 24. Ends the process with one line when it can't. */
export function bootstrap() {
  if (!isInstalled()) locked(() => isInstalled() || install());
  return findNode();
}

/**
 * Runs a file on Node 24 and ends as it ends. `tethered` gives it an IPC channel, by which it notices that we are gone.
 * A Ctrl-C at the terminal reaches both of us; we only pass on what is sent to us alone, and wait.
 */
export function runOnNode(file, args, { nodeFlags = [], tethered = false } = {}) {
  const flags = ['--disable-warning=ExperimentalWarning', ...nodeFlags];
  const child = spawn(bootstrap(), [...flags, join(root, file), ...args], {
    stdio: ['inherit', 'inherit', 'inherit', ...(tethered ? ['ipc'] : [])],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`Node ${wanted} could not be started: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

/** npm notes what it installed; what is optional may be for another system. */
function isInstalled() {
  const notes = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (notes === null) return false;
  const lock = readPackages(join(root, 'package-lock.json')) ?? {};
  return Object.entries(lock).every(([path, asked]) => {
    if (path === '') return true;
    const there = notes[path];
    return there === undefined ? asked.optional === true : there.version === asked.version;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return null;
  }
}

/**
 * Exactly what package-lock.json names. Not `npm ci`: that insists on an entry for every optional package of every
 * platform, and a lock file made where only some of them can be had lacks the others.
 */
function install() {
  process.stderr.write('installing the dependencies of package-lock.json with npm (about a minute)\n');
  const flags = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', ['install', ...flags], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0) fail('npm install failed; what it said is above');
  if (!isInstalled()) fail('package-lock.json does not fit package.json: run npm install and commit what it changes');
}

/** One install at a time, whoever asks. The lock of somebody who died is taken over. */
function locked(action) {
  const folder = join(tmpdir(), `lakeshift-install-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`);
  const holder = join(folder, 'pid');
  const unlock = () => rmSync(folder, { recursive: true, force: true });
  while (!tryLock(folder)) {
    if (isAbandoned(holder)) unlock();
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  }
  // Also when the action ends the process.
  process.once('exit', unlock);
  writeFileSync(holder, String(process.pid));
  action();
  process.off('exit', unlock);
  unlock();
}

function tryLock(folder) {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

function isAbandoned(holder) {
  try {
    process.kill(Number(readFileSync(holder, 'utf8')), 0);
    return false;
  } catch (error) {
    // No file: the holder is about to write it. No permission: the process is there and another user's.
    return error.code === 'ESRCH';
  }
}

function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= wanted) return process.execPath;
  const brought = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(brought)) return brought;
  return fail(
    `Lakeshift runs on Node ${wanted}; this is ${process.version}, and npm brings none for ${process.platform}-${process.arch}: install Node ${wanted}`,
  );
}

function fail(line) {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}

import { setInterval } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { nodeAddress, podAddress } from './pod-network.ts';
import { registerNode, renewLease } from './node.ts';
import { runCommands } from './commands.ts';
import { runPods } from './pods.ts';

// Run as a program: what a kubelet and a scheduler are to a cluster. In a process of its own, so that a busy test can't
// delay its pods. Ends when whoever started it does.
const [kubeconfigFile, name, part, certificate] = process.argv.slice(2);
if (kubeconfigFile === undefined || name === undefined || part === undefined || certificate === undefined) {
  throw new Error(
    'usage: node-agent.ts <kubeconfig> <node> <part of the pod network> <certificate without its ending>',
  );
}
process.on('disconnect', () => process.exit());
const config = new KubeConfig();
config.loadFromFile(kubeconfigFile);
const address = nodeAddress(Number(part));
await registerNode(config, name, address, await runCommands(certificate, address));
await runPods(config, { name, address, podAddress: (n) => podAddress(Number(part), n) });
process.send?.('ready');
for await (const _ of setInterval(10_000)) {
  await renewLease(config, name).catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
}

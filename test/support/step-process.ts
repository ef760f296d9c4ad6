import { flushCompileCache } from 'node:module';
import { deliver, type Step } from './deliver.ts';

/** A process of its own that carries out one activity when it is told to, so that it can be killed in the middle. */
process.on('message', (message) => {
  const { url, step, attempt } = message as { url: string; step: Step; attempt: number }; // what `StepProcess.go` sends
  void deliver(url, step, attempt).then(
    (facts) => process.send?.({ facts }),
    (error: unknown) => process.send?.({ failed: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit());
// it will be killed: nothing is written at its end
flushCompileCache();
process.send?.({ ready: true });

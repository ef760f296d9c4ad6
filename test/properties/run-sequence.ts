import { deepStrictEqual as same, ok as holds } from 'node:assert/strict';
import { Deliveries } from './deliveries.ts';
import type { Ground } from './ground.ts';
import { judgeContracted, judgeRolledBack } from './judge-end.ts';
import type { Operation, Sequence } from './operations.ts';
import { clearScene, openScene, type Scene } from './scene.ts';

/** Runs one sequence on a table of its own; throws with its whole story when something is not as the oracle says. */
export async function runSequence(ground: Ground, sequence: Sequence): Promise<void> {
  const story: string[] = [];
  const scene = await openScene(ground, sequence, (line) => {
    story.push(line);
  });
  const run = new SequenceRun(scene);
  try {
    for (let effects = 0; effects < sequence.head; effects++) await run.carryOut({ do: 'go', events: [] });
    for (const operation of sequence.operations) await run.carryOut(operation);
    await run.finish(sequence.ending);
  } catch (error) {
    const because = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Error(`${because}\n\n${story.map((line) => `  ${line}`).join('\n')}\n`);
  } finally {
    await clearScene(scene);
  }
}

class SequenceRun {
  readonly #scene: Scene;
  readonly #deliveries: Deliveries;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#deliveries = new Deliveries(scene);
  }

  /** One operation, and then everything that must hold at any moment. */
  async carryOut(operation: Operation): Promise<void> {
    this.#scene.tell(JSON.stringify(operation));
    await this.#perform(operation);
    await this.#scene.model.compare();
  }

  async #perform(operation: Operation): Promise<void> {
    const { carrier, transactions, people, claim } = this.#scene;
    switch (operation.do) {
      case 'write':
        return transactions.transact([operation.write], true);
      case 'transaction':
        return transactions.transact(operation.writes, operation.commit);
      case 'hold':
        return transactions.hold(operation.writes);
      case 'let go':
        return transactions.letGo(operation.commit);
      case 'go':
        return this.#deliveries.once(operation.events);
      case 'twice':
        return this.#deliveries.twice();
      case 'late':
        return this.#deliveries.late(operation.pick);
      case 'pause':
      case 'resume':
        return claim.steer(operation.do === 'pause');
      case 'back':
        carrier.back();
        return;
      case 'rival':
        return claim.defy();
      case 'drift':
        return people.drift(operation.drift);
    }
  }

  /** Drives the deployment to its end and looks at what is left. */
  async finish(ending: Sequence['ending']): Promise<void> {
    const { carrier, model, transactions, people, claim } = this.#scene;
    await transactions.letGo(true);
    await claim.steer(false);
    await people.drift('enable trigger');
    if (ending === 'rollback') carrier.back();
    for (let efforts = 0; carrier.outcome === 'under way'; efforts++) {
      holds(efforts < 60, `the deployment does not end; parked: ${carrier.parked ?? 'no'}`);
      // between a drop that has begun and values that are gone nothing but a person can decide
      if (carrier.parked === 'TARGET_DRIFTED' && model.columnIsGone && !carrier.back()) return;
      if (carrier.parked !== null) await people.mend();
      await this.#deliveries.once([]);
      await model.compare();
    }
    await this.#judgeEnd();
    for (const shape of ['old', 'new'] as const) {
      await transactions.transact([{ kind: 'insert', shape, pick: 1, values: [1, 2, 3, 4] }], true);
      await transactions.transact([{ kind: 'many', shape, pick: 1, values: [1, 2, 3, 4] }], true);
    }
    await model.compare();
  }

  async #judgeEnd(): Promise<void> {
    const { carrier, model, table, original, subject } = this.#scene;
    const now = await table.describe();
    same(model.catalog.home, false, 'our schema is still there');
    if (carrier.outcome === 'rolled back') judgeRolledBack(now, original, model.lost);
    else judgeContracted(now, original, subject, model.catalog.notNull);
  }
}

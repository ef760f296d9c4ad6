import { randomBytes } from 'node:crypto';
import { ask } from '../on-demand.ts';
import { required } from '../servers.ts';
import type { ModelName, OfferedRegistry } from './offer.ts';

/** The first test that asks waits while MLflow is installed, ms. */
const startWithinMs = 20 * 60_000;

const lacking = await ask(required('LAKESHIFT_TEST_MLFLOW'), 'lacking');

/** `describe` with the run's MLflow, started before the first test; where there can be none it is skipped and its name says why. */
export function describeOnMlflow(name: string, tests: () => void): void {
  const where = lacking === '' ? describe : describe.skip;
  where(lacking === '' ? name : `${name} (${lacking})`, () => {
    beforeAll(() => registry().then(() => undefined), startWithinMs);
    tests();
  });
}

/** The MLflow of this test run; the first who asks waits for its start. */
export async function registry(): Promise<OfferedRegistry> {
  // test/support/mlflow/offer.ts writes it
  return JSON.parse(await ask(required('LAKESHIFT_TEST_MLFLOW'), 'registry')) as OfferedRegistry;
}

/** Address of the run's scoring server of that model. */
export const scoringServer = (of: 'usual' | 'better'): Promise<string> => ask(required('LAKESHIFT_TEST_MLFLOW'), of);

/** What the registry says of a model. */
export interface SeenModel {
  readonly aliases: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** A registered model of one test, with a version of each of the given models, from 1 on. */
export class TestModel {
  readonly name = `model-${randomBytes(6).toString('hex')}`;
  readonly #url: string;

  private constructor(url: string) {
    this.#url = url;
  }

  static async of(...versions: ModelName[]): Promise<TestModel> {
    const { url, models } = await registry();
    const model = new TestModel(url);
    const { name } = model;
    await model.call('POST', 'registered-models/create', { name });
    for (const version of versions) {
      const { id, run } = models[version];
      const from = { source: `models:/${id}`, model_id: id, run_id: run };
      await model.call('POST', 'model-versions/create', { name, ...from });
    }
    return model;
  }

  /** Points an alias at a version, as anybody may. */
  async point(alias: string, version: string): Promise<void> {
    await this.call('POST', 'registered-models/alias', { name: this.name, alias, version });
  }

  async tag(key: string, value: string): Promise<void> {
    await this.call('POST', 'registered-models/set-tag', { name: this.name, key, value });
  }

  async untag(key: string): Promise<void> {
    await this.call('DELETE', 'registered-models/delete-tag', { name: this.name, key });
  }

  async deleteVersion(version: string): Promise<void> {
    await this.call('DELETE', 'model-versions/delete', { name: this.name, version });
  }

  async look(): Promise<SeenModel> {
    const said = await this.call('GET', `registered-models/get?name=${this.name}`);
    const { registered_model: model } = said as { registered_model: Pairs }; // as MLflow documents it
    return {
      aliases: Object.fromEntries((model.aliases ?? []).map(({ alias, version }) => [alias, version])),
      tags: Object.fromEntries((model.tags ?? []).map(({ key, value }) => [key, value])),
    };
  }

  async call(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.#url}/api/2.0/mlflow/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`MLflow answers ${response.status} to ${path}: ${await response.text()}`);
    return response.json();
  }
}

interface Pairs {
  readonly aliases?: readonly { readonly alias: string; readonly version: string }[];
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
}

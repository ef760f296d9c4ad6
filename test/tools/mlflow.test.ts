import { chmod, mkdir, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getMlflow, whyNoMlflow } from '../../tools/mlflow/get.ts';
import { mlflowVersion } from '../../tools/mlflow/version.ts';
import { describeOnMlflow, scoringServer, TestModel } from '../support/mlflow/registry.ts';

/** A Python of that version that makes environments, in which pip "installs" MLflow. */
const fakePython = (version: string, pip: string): string => `#!/bin/sh
PATH=/usr/bin:/bin
if [ "$1" = -c ]; then echo ${version}; exit 0; fi
if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; exit 0; fi
${pip}
echo '#!/bin/sh' > "$(dirname "$0")/mlflow"
chmod +x "$(dirname "$0")/mlflow"
`;

describe('getMlflow', () => {
  let folder: string;
  let said: string[];
  const say = (line: string): void => void said.push(line);
  const env = (): NodeJS.ProcessEnv => ({ PATH: join(folder, 'bin'), LAKESHIFT_CACHE: join(folder, 'cache') });
  const python = async (version: string, pip = ''): Promise<void> => {
    await writeFile(join(folder, 'bin', 'python3'), fakePython(version, pip));
    await chmod(join(folder, 'bin', 'python3'), 0o755);
  };

  beforeEach(async () => {
    said = [];
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-get-'));
    await mkdir(join(folder, 'bin'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('installs it once, and puts it in its place when it is whole', async () => {
    await python('3 12');
    const found = await getMlflow(say, { env: env() });
    expect(found).toBe(join(folder, 'cache', `mlflow-${mlflowVersion}`, 'bin'));
    expect(await getMlflow(say, { env: env() })).toBe(found);
    expect(said).toEqual([`installing MLflow ${mlflowVersion} with pip, once; this takes 1 to 5 minutes and 370 MB`]);
    // an environment stays where it was made: its programs name it
    const made = await readlink(join(folder, 'cache', `mlflow-${mlflowVersion}`));
    expect((await readdir(join(folder, 'cache'))).sort()).toEqual([`mlflow-${mlflowVersion}`, made].sort());
  });

  it('keeps nothing of an installation that failed, and says why in one line', async () => {
    await python('3 12', 'echo no such package >&2; exit 1');
    const message = 'no MLflow: its installation with pip failed (no such package)';
    await expect(getMlflow(say, { env: env() })).rejects.toThrow(message);
    expect(await readdir(join(folder, 'cache'))).toEqual([]);
  });

  it.each([
    ['there is no Python', null],
    ['Python 3.9 is older than 3.10', '3 9'],
    ['there is no Python with venv and pip', ''],
  ])('says in one line what it would need where %s', async (why, version) => {
    if (version !== null) await python(version);
    const line = `no MLflow: ${why}. Install Python 3.10 with venv and pip`;
    expect(await whyNoMlflow(env())).toBe(line);
    await expect(getMlflow(say, { env: env() })).rejects.toThrow(line);
  });
});

describeOnMlflow('the MLflow of the tests', () => {
  it('has models of which each test has versions of its own', async () => {
    const model = await TestModel.of('usual', 'better');
    await model.point('champion', '1');
    expect(await model.look()).toEqual({ aliases: { champion: '1' }, tags: {} });
    await expect(model.point('champion', '3')).rejects.toThrow('MLflow answers 404');
  });

  it.each([
    ['usual', [1, 1, 1, 0]],
    ['better', [1, 0, 1, 0]],
  ] as const)('scores with the %s one', async (name, predictions) => {
    const response = await fetch(`${await scoringServer(name)}/invocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ dataframe_records: [1, 10, 11, 12].map((n) => ({ n })) }),
    });
    expect(await response.json()).toEqual({ predictions });
  });
});

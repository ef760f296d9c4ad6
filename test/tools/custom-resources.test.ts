import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCustomResources } from '../../tools/custom-resources/get.ts';
import { sources } from '../../tools/custom-resources/sources.ts';

/** A Go that has the module that it is asked for, with that sum. */
const fakeGo = (module: string, sum: string): string => `#!/bin/sh
if [ "$1" = env ]; then echo go1.26.8; exit 0; fi
echo '{"Dir": "${module}", "Sum": "${sum}"}'
`;

const definition = (kind: string): string =>
  `---\nkind: CustomResourceDefinition\nspec: { names: { kind: ${kind} } }\n`;

describe('getCustomResources', () => {
  let folder: string;
  const env = (): NodeJS.ProcessEnv => ({ PATH: join(folder, 'bin'), LAKESHIFT_CACHE: join(folder, 'cache') });
  const go = async (sum: string): Promise<void> => {
    await writeFile(join(folder, 'bin', 'go'), fakeGo(join(folder, 'module'), sum));
    await chmod(join(folder, 'bin', 'go'), 0o755);
  };
  const file = async (name: string, text: string): Promise<void> => {
    await writeFile(join(folder, 'module', name), text);
  };
  const kinds = async (of: 'gateway-api' | 'istio'): Promise<string[]> =>
    (await getCustomResources(of, env())).map(({ spec }) => spec.names.kind);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-get-'));
    for (const name of ['bin', 'module/kubernetes', 'module/config/crd/standard']) {
      await mkdir(join(folder, name), { recursive: true });
    }
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('takes all that the Gateway API has from its module, and needs no Go the second time', async () => {
    await go(sources['gateway-api'].module.sum);
    await file('config/crd/standard/a.yaml', definition('Gateway'));
    await file('config/crd/standard/b.yaml', definition('HTTPRoute'));
    await file('config/crd/standard/kustomization.yaml', 'resources: [a.yaml]\n');
    expect(await kinds('gateway-api')).toEqual(['Gateway', 'HTTPRoute']);
    await rm(join(folder, 'bin', 'go'));
    expect(await kinds('gateway-api')).toEqual(['Gateway', 'HTTPRoute']);
    expect(await readdir(join(folder, 'cache'))).toEqual(['gateway-api-resources-1.4.0']);
  });

  it('takes of Istio only what splits traffic', async () => {
    await go(sources.istio.module.sum);
    const all = ['DestinationRule', 'Sidecar', 'VirtualService'].map(definition).join('');
    await file('kubernetes/customresourcedefinitions.gen.yaml', `# generated\n${all}`);
    expect(await kinds('istio')).toEqual(['DestinationRule', 'VirtualService']);
  });

  it('takes nothing from a module that is not the one that we know, or without a Go', async () => {
    await expect(kinds('istio')).rejects.toThrow(
      /^no resources of istio: there is no Go to build it with\. Install Go/,
    );
    await go('h1:another');
    await expect(kinds('istio')).rejects.toThrow(/is not the one that we know: h1:another instead of/);
  });
});

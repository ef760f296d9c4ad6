import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Home } from '../home.ts';

/** What differs from one start to the next. */
export interface EmbeddedFacts {
  readonly apiPort: number;
  readonly ledgerUrl: string;
  readonly shopUrl: string;
  readonly temporalUi: string | null;
}

const explanation = `# Written by \`npm start\` at each start. To use a configuration of your own, copy it and set LAKESHIFT_CONFIG.
# Secrets never stand here: \${file:…} names the file that holds one, \${env:…} the variable.
`;

/** Writes the embedded service's lakeshift.yaml and the secrets that it names; gives its path. */
export async function writeEmbeddedConfig(home: Home, facts: EmbeddedFacts): Promise<string> {
  const secrets = {
    ledger: join(home.run, 'ledger.url'),
    shop: join(home.run, 'shop.url'),
    approvals: join(home.data, 'approvals.key'),
  };
  await writeFile(secrets.ledger, facts.ledgerUrl, { mode: 0o600 });
  await writeFile(secrets.shop, facts.shopUrl, { mode: 0o600 });
  await ensureKey(secrets.approvals);
  const config = {
    environment: 'local',
    targets: { shop: { dialect: 'postgres', url: `\${file:${secrets.shop}}` } },
    ledger: { url: `\${file:${secrets.ledger}}` },
    temporal: {
      searchAttributes: { prefix: 'Lakeshift', register: true },
      ...(facts.temporalUi === null ? {} : { ui: facts.temporalUi }),
    },
    api: { host: '127.0.0.1', port: facts.apiPort, open: true },
    approvals: { key: `\${file:${secrets.approvals}}` },
  };
  const path = join(home.root, 'lakeshift.yaml');
  await writeFile(path, explanation + stringify(config, { lineWidth: 0 }));
  return path;
}

/** Signatures of approvals that wait over a restart must still be good after it: the key is made once. */
async function ensureKey(file: string): Promise<void> {
  const found = await readFile(file, 'utf8').catch(() => '');
  if (found.trim() === '') await writeFile(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
}

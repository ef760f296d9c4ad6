import { generateKeyPair, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Who may speak to the API server; each value is a bearer's token. */
export interface Tokens {
  /** May do everything. */
  readonly admin: string;
  /** User `lakeshift`: may do nothing until a role is bound to it. */
  readonly guest: string;
  /** The controller manager, with the rights that Kubernetes itself gives it. */
  readonly controllers: string;
}

/** Secrets of one cluster, made anew at each start. */
export interface Credentials {
  readonly tokens: Tokens;
  /** What `--token-auth-file` wants. */
  readonly tokenFile: string;
  /** Key that tokens of service accounts are signed with. */
  readonly signingKeyFile: string;
}

/** The user that Lakeshift itself is in the tests' cluster. */
export const guestUser = 'lakeshift';

/** Makes tokens and keys, and writes them to files that only we can read. */
export async function makeCredentials(folder: string): Promise<Credentials> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const [tokenFile, signingKeyFile] = [join(folder, 'tokens.csv'), join(folder, 'service-accounts.key')];
  const tokens: Tokens = { admin: token(), guest: token(), controllers: token() };
  const lines = [
    `${tokens.admin},admin,admin,"system:masters"`,
    `${tokens.guest},${guestUser},${guestUser}`,
    `${tokens.controllers},system:kube-controller-manager,controllers`,
  ];
  await writeFile(tokenFile, `${lines.join('\n')}\n`, { mode: 0o600 });
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  await writeFile(signingKeyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return { tokens, tokenFile, signingKeyFile };
}

const token = (): string => randomBytes(24).toString('hex');

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1PolicyRule, V1Role } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';

const folder = join(import.meta.dirname, '../../../deploy/kubernetes');

const rulesIn = (file: string): readonly V1PolicyRule[] =>
  parseAllDocuments(readFileSync(join(folder, file), 'utf8'))
    .map((document) => document.toJS() as V1Role) // of the two objects in it only one has rules
    .flatMap(({ rules = [] }) => rules);

/** The rules of the role that we ask for: what is in the file, and nothing else. */
export const rights = rulesIn('rights.yaml');

/** What probes by commands need besides. */
export const commandRights = rulesIn('rights-commands.yaml');

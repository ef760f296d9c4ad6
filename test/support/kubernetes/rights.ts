import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1PolicyRule, V1Role } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';

const file = join(import.meta.dirname, '../../../deploy/kubernetes/rights.yaml');

/** The rules of the role that we ask for: what is in the file, and nothing else. */
export const rights: readonly V1PolicyRule[] = parseAllDocuments(readFileSync(file, 'utf8'))
  .map((document) => document.toJS() as V1Role) // of the two objects in it only one has rules
  .flatMap(({ rules = [] }) => rules);

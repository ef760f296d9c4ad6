import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { specJsonSchema } from '../../api/schemas/spec-json-schema.ts';
import { overrides } from '../../config/index.ts';
import { endPhases, orderNames, phases, routers, strategies } from '../../contracts/catalog.ts';
import { readPage, root, rowsOf } from './pages.ts';

type Interfaces = ReadonlyMap<string, ts.InterfaceDeclaration>;

/** The interfaces of source files, by name. */
function interfacesOf(...paths: readonly string[]): Interfaces {
  const found = new Map<string, ts.InterfaceDeclaration>();
  for (const path of paths) {
    const text = readFileSync(join(root, path), 'utf8');
    const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    source.forEachChild((node) => {
      if (ts.isInterfaceDeclaration(node)) found.set(node.name.text, node);
    });
  }
  return found;
}

/** Paths of all leaves of an interface, such as `api.rateLimit.max`; `[]` stands for the items of a list. */
function leaves(members: readonly ts.TypeElement[], known: Interfaces, prefix = ''): string[] {
  return members.filter(ts.isPropertySignature).flatMap((member) => {
    const path = `${prefix}${member.name.getText()}`;
    return member.type === undefined ? [path] : inType(member.type, known, path);
  });
}

function inType(type: ts.TypeNode, known: Interfaces, path: string): string[] {
  if (ts.isTypeLiteralNode(type)) return leaves([...type.members], known, `${path}.`);
  if (ts.isTypeOperatorNode(type)) return inType(type.type, known, path);
  if (ts.isParenthesizedTypeNode(type)) return inType(type.type, known, path);
  if (ts.isArrayTypeNode(type)) return [path, ...nested(type.elementType, known, `${path}[]`)];
  if (!ts.isTypeReferenceNode(type)) return [path];
  if (type.typeName.getText() === 'Readonly') {
    // Readonly<Record<string, T>>: a map by name
    const [record] = type.typeArguments ?? [];
    const value = record !== undefined && ts.isTypeReferenceNode(record) ? record.typeArguments?.[1] : undefined;
    return value === undefined ? [path] : [path, ...nested(value, known, `${path}.<name>`)];
  }
  const named = known.get(type.typeName.getText());
  return named === undefined ? [path] : leaves([...named.members], known, `${path}.`);
}

/** Fields of an item: of the first interface that its type names, or of each member of a union. */
function nested(type: ts.TypeNode, known: Interfaces, path: string): string[] {
  const names = [...type.getText().matchAll(/\b[A-Z]\w+\b/g)].map(([name]) => name);
  const members = names.flatMap((name) => [...(known.get(name)?.members ?? [])]);
  return [...new Set(leaves(members, known, `${path}.`))];
}

const fieldsIn = (page: string): string[] =>
  rowsOf(readPage(page))
    .map(([cell = '']) => /^`([a-z][\w.<>[\]]*)`$/i.exec(cell)?.[1] ?? '')
    .filter((field) => field !== '' && !field.startsWith('LAKESHIFT_'));

const membersOf = (known: Interfaces, name: string): ts.TypeElement[] => [...(known.get(name)?.members ?? [])];

describe('docs/configuration.md', () => {
  test('names every field of the configuration and no other', () => {
    const known = interfacesOf('config/shape.ts', 'config/config.ts');
    const fields = leaves(membersOf(known, 'ConfigFile'), known);
    expect(fields).toEqual(expect.arrayContaining(['api.rateLimit.per', 'targets.<name>.url', 'api.tokens[].token']));
    expect(fieldsIn('docs/configuration.md').sort()).toEqual(fields.sort());
  });

  test('names every variable that stands above the file, with its field', () => {
    const { text } = readPage('docs/configuration.md');
    for (const { variable, path } of overrides) {
      expect(text).toContain(`\`${variable}\``);
      expect(text).toContain(`\`${path.join('.')}\``);
    }
  });
});

/** The members of the union of changes, as its source names them. */
const changeKinds = (/type ChangeSpec\s*=([^;]+);/.exec(readFileSync('contracts/spec.ts', 'utf8'))?.[1] ?? '')
  .split('|')
  .map((name) => name.trim())
  .filter((name) => name !== '');

/** The kinds of spec as the schema has them: of a table, then of releases. */
const kindsOfSpec = (specJsonSchema as Shape).anyOf ?? [];

describe('docs/specs.md', () => {
  const known = new Map([...interfacesOf('contracts/spec.ts')]);
  const kinds = [...known.keys()].filter((name) => changeKinds.includes(name));
  const union = kinds.flatMap((name) => leaves(membersOf(known, name), known, 'changes[].'));
  const fields = [...new Set([...leaves(membersOf(known, 'TableSpec'), known), ...union])].sort();

  test('names every field of a spec and no other', () => {
    expect(kinds).toHaveLength(changeKinds.length);
    expect(fields).toEqual(expect.arrayContaining(['changes[].up', 'contract.notBy', 'onFailure']));
    expect(fieldsIn('docs/specs.md').sort()).toEqual(fields);
  });

  test('names the fields that the JSON Schema has', () => {
    expect([...new Set(leavesOfSchema(kindsOfSpec[0] ?? {}))].sort()).toEqual(fields);
  });
});

describe('docs/releases.md', () => {
  /** Checks are told once, wherever a spec has them; what they are is proved of the JSON Schema elsewhere. */
  const asTold = (field: string): string =>
    // the parts of a release are told where a spec of their own is
    field
      .replace(/^(tables|services)\[\]\..+$/, '$1')
      .replace(/^.+\.checks\./, 'checks.')
      .replace(/^batches\.validate\./, 'validate.')
      .replace(/^dependencies\[\]\.probe\./, 'validate.probes[].');
  const ofReleases = kindsOfSpec.slice(1).filter((kind) => !isOfModel(kind));
  const leavesOfReleases = ofReleases.flatMap((kind) => leavesOfSchema(kind));
  const fields = [...new Set(leavesOfReleases.map(asTold))];
  const names: readonly string[] = [...routers, ...strategies];

  test('names every field of a release and no other, as the JSON Schema has them', () => {
    const told = fieldsIn('docs/releases.md').filter((field) => fields.includes(field) || !names.includes(field));
    expect(fields).toEqual(expect.arrayContaining(['workload', 'route.via', 'checks.p99.max', 'steps[].onFail']));
    expect(fields.filter((field) => !told.includes(field))).toEqual([]);
    // a field may be told of by itself besides the fields in it
    const isField = (name: string): boolean =>
      leavesOfReleases.some((leaf) => leaf === name || leaf.startsWith(`${name}.`));
    expect(told.filter((name) => !isField(name))).toEqual([]);
  });

  test('has every router in its table of what each can do', () => {
    const told = rowsOf(readPage('docs/releases.md')).map(([cell = '']) => cell);
    expect(routers.filter((name) => !told.includes(`\`${name}\``))).toEqual([]);
  });
});

/** The kind that has a model is told on a page of its own. */
function isOfModel({ properties = {} }: Shape): boolean {
  return 'model' in properties;
}

describe('docs/models.md', () => {
  const fields = [...new Set(kindsOfSpec.filter(isOfModel).flatMap((kind) => leavesOfSchema(kind)))];
  const told = fieldsIn('docs/models.md');
  const elsewhere = /^(route|seen|checks|steps\[\]|steps|every)\b/;

  test('names every field of a model and no other, but for those of every canary', () => {
    expect(fields).toEqual(expect.arrayContaining(['candidate.alias', 'route.backend', 'steps[].onFail']));
    expect(told.sort()).toEqual(fields.filter((field) => !elsewhere.test(field)).sort());
    const ofCanaries = fieldsIn('docs/releases.md');
    const left = fields
      .filter((field) => elsewhere.test(field))
      .map((field) => field.replace(/^.+\.checks\./, 'checks.'));
    expect(left.filter((field) => !ofCanaries.includes(field))).toEqual([]);
  });
});

interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
}

/** The same paths as `leaves`, of a JSON Schema. */
function leavesOfSchema({ properties = {}, items, anyOf = [] }: Shape, path = ''): string[] {
  const parts = [
    ...anyOf.flatMap((shape) => leavesOfSchema(shape, path)).filter((leaf) => leaf !== path),
    // a list of plain texts has no fields below it
    ...(items === undefined
      ? []
      : [path, ...leavesOfSchema(items, `${path}[]`).filter((leaf) => leaf !== `${path}[]`)]),
    ...Object.entries(properties).flatMap(([name, part]) =>
      leavesOfSchema(part, path === '' ? name : `${path}.${name}`),
    ),
  ];
  // what only says that a field has to be there is no field of its own
  const leaves = parts.filter((leaf) => !parts.some((other) => other.startsWith(`${leaf}.`)));
  return leaves.length === 0 ? [path] : leaves;
}

describe('docs/glossary.md', () => {
  test('has every phase, in their order, and says which are the end', () => {
    const rows = rowsOf(readPage('docs/glossary.md')).filter(([cell = '']) => /^`[a-z-]+`$/.test(cell));
    expect(rows.map(([cell = '']) => cell.slice(1, -1))).toEqual([...phases]);
    const ends = rows
      .filter(([, meaning = '']) => meaning.startsWith('the end:'))
      .map(([cell = '']) => cell.slice(1, -1));
    expect(ends).toEqual([...endPhases]);
  });
});

describe('docs/operating.md', () => {
  test('has every order', () => {
    const words = rowsOf(readPage('docs/operating.md')).map(([cell = '']) => cell);
    const paths = orderNames.map((name) => `\`${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}\``);
    expect(paths.filter((path) => !words.includes(path))).toEqual([]);
  });
});

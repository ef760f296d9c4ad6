/** Who may import whom: the table of the design, as rules. Types are free; only what exists at run time counts. */

/** Modules of Node itself, and packages, by name. */
const node = 'node';
const temporal = (...names) => names.map((name) => `@temporalio/${name}`);

/** folder → our own folders, and libraries; `node` stands for all of Node's modules. */
const table = {
  contracts: { own: [], libraries: [] },
  decisions: { own: ['contracts'], libraries: [] },
  config: {
    own: ['contracts', 'decisions/duration', 'decisions/check-fields'],
    libraries: [node, 'yaml', ...temporal('envconfig')],
  },
  ledger: { own: ['contracts'], libraries: [node, 'kysely', 'pg'] },
  activities: {
    own: ['contracts', 'ledger', 'decisions/pace'],
    libraries: [node, 'pg', '@kubernetes/client-node', 'yaml', ...temporal('activity', 'common')],
  },
  workflows: { own: ['contracts', 'decisions'], libraries: temporal('workflow', 'common') },
  worker: {
    // `decisions/notifications` because what is told is decided where events are written, and that is no workflow.
    own: ['contracts', 'config', 'activities', 'ledger', 'decisions/notifications'],
    libraries: [node, 'pg', 'kysely', 'pino', 'prom-client', ...temporal('worker', 'client', 'common', 'envconfig')],
  },
  api: {
    own: ['contracts', 'config', 'decisions', 'ledger'],
    libraries: [
      node,
      'fastify',
      '@fastify/[^/]+',
      'typebox',
      'yaml',
      'pino',
      'prom-client',
      ...temporal('client', 'common'),
    ],
  },
  cli: {
    // The ledger for `ledger`, which works beside the service, where its configuration is; `decisions/guests` because
    // `eject --plan` must work when there is no service to ask.
    own: [
      'contracts',
      'config',
      'ledger',
      'decisions/duration',
      'decisions/nearest',
      'decisions/guests',
      'tools/bootstrap',
    ],
    // Temporal itself for `doctor`, which looks at the namespace when there is no API to ask, and for `ledger rebuild`.
    libraries: [node, 'commander', 'eventsource-parser', 'yaml', ...temporal('client')],
  },
};

const atRunTime = { dependencyTypesNot: ['type-only'] };

function rulesOf([folder, { own, libraries }]) {
  const from = { path: `^${folder}/` };
  const folders = [folder, ...own].map((name) => `^${name}[/.]`);
  const packages = libraries.filter((name) => name !== node).map((name) => `^node_modules/${name}/`);
  const rules = [
    {
      name: `${folder}-imports-only-its-own`,
      from,
      to: { ...atRunTime, pathNot: [...folders, '^node_modules/'], dependencyTypesNot: ['type-only', 'core'] },
    },
    {
      name: `${folder}-uses-only-its-libraries`,
      from,
      to: { ...atRunTime, path: '^node_modules/', ...(packages.length > 0 ? { pathNot: packages } : {}) },
    },
  ];
  const withoutNode = { name: `${folder}-does-without-node`, from, to: { dependencyTypes: ['core'] } };
  return (libraries.includes(node) ? rules : [...rules, withoutNode]).map((rule) => ({ severity: 'error', ...rule }));
}

module.exports = {
  forbidden: [
    ...Object.entries(table).flatMap(rulesOf),
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: atRunTime } },
    { name: 'nothing-unknown', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'sql-driver-only-where-sql-is-run',
      comment: 'One client library per folder of activities.',
      severity: 'error',
      from: { path: '^activities/', pathNot: '^activities/(sql|ledger)/' },
      to: { path: '^node_modules/pg/', ...atRunTime },
    },
    {
      name: 'the-cluster-is-talked-to-in-one-folder',
      comment: 'One client library per folder of activities.',
      severity: 'error',
      from: { path: '^activities/', pathNot: '^activities/kubernetes/' },
      to: { path: '^node_modules/@kubernetes/', ...atRunTime },
    },
    {
      name: 'nothing-at-run-time-that-is-only-for-development',
      severity: 'error',
      from: { path: `^(${Object.keys(table).join('|')}|tools)/` },
      to: { dependencyTypes: ['npm-dev'], ...atRunTime },
    },
    {
      name: 'no-test-code-in-the-product',
      severity: 'error',
      from: { pathNot: '^(test|bench)/' },
      to: { path: '^(test|bench)/' },
    },
  ],
  options: {
    doNotFollow: { path: '^node_modules' },
    exclude: { path: '^(coverage|bench/results)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};

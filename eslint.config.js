import tseslint from 'typescript-eslint';

const source = [
  'contracts',
  'config',
  'decisions',
  'ledger',
  'activities',
  'workflows',
  'worker',
  'api',
  'cli',
  'tools',
  'bench',
];

export default tseslint.config(
  { ignores: ['node_modules/**', 'coverage/**', 'bench/results/**', '**/*.mjs', '**/*.cjs', 'eslint.config.js'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidOperator: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // tsconfig's noPropertyAccessFromIndexSignature asks for brackets where this rule would forbid them.
      '@typescript-eslint/dot-notation': 'off',
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: 'Only config/ reads the environment.',
        },
      ],
    },
  },
  {
    files: source.map((folder) => `${folder}/**/*.ts`),
    rules: {
      complexity: ['error', 8],
      'max-lines': ['error', { max: 250 }],
      'max-lines-per-function': ['error', { max: 50 }],
    },
  },
  { files: ['config/**', 'tools/**', 'test/**', 'bench/**', 'cli/**'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['test/**'],
    rules: { '@typescript-eslint/require-await': 'off' },
  },
  {
    // The Kubernetes client declares its objects as classes, and takes and gives plain data: it serializes by its own tables.
    files: [
      '**/kubernetes/**',
      '**/kubernetes*.test.ts',
      'test/support/data-planes/**',
      'test/scenarios/**',
      'bench/**',
    ],
    rules: { '@typescript-eslint/no-unsafe-class-instance-assignment': 'off' },
  },
);

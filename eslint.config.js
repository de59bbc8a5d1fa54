import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

const ENGINE = ['@tensorflow/*'];
const NETWORK = ['@grpc/*'];

/** Which kind of project may import which: app -> engine, adapter -> domain -> core. */
const DIRECTION = [
  { sourceTag: 'kind:core', onlyDependOnLibsWithTags: ['kind:core'], bannedExternalImports: [...ENGINE, ...NETWORK] },
  { sourceTag: 'kind:domain', onlyDependOnLibsWithTags: ['kind:domain', 'kind:core'], bannedExternalImports: [...ENGINE, ...NETWORK] },
  { sourceTag: 'kind:engine', onlyDependOnLibsWithTags: ['kind:engine', 'kind:domain', 'kind:core'], bannedExternalImports: NETWORK },
  { sourceTag: 'kind:adapter', onlyDependOnLibsWithTags: ['kind:adapter', 'kind:domain', 'kind:core'], bannedExternalImports: ENGINE },
  { sourceTag: 'kind:app', onlyDependOnLibsWithTags: ['*'] },
  { sourceTag: 'kind:tool', onlyDependOnLibsWithTags: ['kind:tool', 'kind:core'] },
];

export default tseslint.config(
  { ignores: ['**/node_modules/', '**/build/', '**/dist/', 'runs/', '.nx/', 'libs/reduction/assembly/*.ts', 'libs/transport/src/gen/'] },
  {
    files: ['**/*.{ts,js,mjs}'],
    plugins: { '@nx': nx },
    languageOptions: { parser: tseslint.parser },
    rules: {
      '@nx/enforce-module-boundaries': ['error', { depConstraints: DIRECTION, allow: [] }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'prefer-const': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'no-else-return': 'error',
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
    },
  },
);

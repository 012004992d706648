import js from '@eslint/js';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import ts from 'typescript-eslint';

// lib ← api ← components ← features ← app. A layer imports those before it by '@/…', its own files
// by './…', and never those after it. Features know nothing of each other.
const LAYERS = ['lib', 'api', 'components', 'features', 'app'];

function layer(name, extra = []) {
  const later = LAYERS.slice(LAYERS.indexOf(name) + 1).map((other) => ({
    regex: `^@/${other}(/|$)`,
    message: `${name} stands before ${other} and can't import it.`,
  }));
  const relative = {
    regex: `^(\\.\\./)+(${LAYERS.join('|')})(/|$)`,
    message: "Another layer is imported by '@/…'.",
  };
  return {
    files: [`src/${name}/**/*.{ts,tsx}`],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: [...later, relative, ...extra] },
      ],
    },
  };
}

export default ts.config(
  { ignores: ['dist', 'coverage', 'src/api/schema.d.ts', 'theme.js'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [
      ...ts.configs.strictTypeChecked,
      ...ts.configs.stylisticTypeChecked,
      reactHooks.configs.flat['recommended-latest'],
      jsxA11y.flatConfigs.recommended,
    ],
    languageOptions: {
      globals: globals.browser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-definitions': ['error', 'type'],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { attributes: false } },
      ],
      'no-restricted-properties': [
        'error',
        {
          object: 'crypto',
          property: 'randomUUID',
          message: 'Missing in pages without HTTPS: randomId() of lib/ids.',
        },
      ],
      // Redirects of the router are thrown, and are no errors.
      '@typescript-eslint/only-throw-error': 'off',
      // Rows of virtual lists are measured while rendering, which the compiler can't know.
      'react-hooks/incompatible-library': 'off',
    },
  },
  layer('lib'),
  layer('api'),
  layer('components'),
  layer('features', [
    { regex: '^@/features/', message: "Features don't import each other." },
    { regex: '^\\.\\./', message: "A feature's files stand beside each other: import by './…'." },
  ]),
  layer('app'),
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: { globals: globals.node },
  },
);

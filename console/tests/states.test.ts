import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AXES, look } from '../src/lib/states';

const STYLES = readFileSync(resolve(import.meta.dirname, '../src/styles/tones.css'), 'utf8');

describe('states', () => {
  test('given every value of the axes, then it has a look of its own and its tone a colour', () => {
    for (const { values } of AXES) {
      for (const value of values) {
        const { tone, shape } = look(value);
        expect(STYLES, value).toContain(`.tone-${tone} {\n  --tone: var(--${tone});`);
        expect(shape === 'query', value).toBe(value === 'unknown' || value === 'unverifiable');
      }
    }
  });
  test('given a word that is none of the model, then it is drawn as unknown', () => {
    for (const word of ['', 'brand-new', 'constructor', '__proto__']) expect(look(word)).toEqual({ tone: 'none', shape: 'query' });
  });
});

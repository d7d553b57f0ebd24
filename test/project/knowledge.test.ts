// docs/errors and docs/providers say what src/advice and src/providers know, and every provider has
// its page.
import { describe, expect, it } from 'vitest';
import { ADVICE, PROVIDER_TITLES } from '../../src/advice/catalog.js';
import type { AdviceProvider } from '../../src/advice/entry.js';
import { expectGenerated, headings } from './documents.js';
import { PRESETS, advicePage, factsTable, rulesTable } from './knowledge-pages.js';
import { filesUnder, read } from './sources.js';

const ADVISED = Object.keys(PROVIDER_TITLES) as AdviceProvider[];

describe('docs/errors', () => {
  it.each(ADVISED)('%s.md is the data of src/advice', (provider) => {
    expectGenerated(`docs/errors/${provider}.md`, 'advice', advicePage(provider));
  });

  it('has one page for each provider and no other, and docs/errors.md leads to each', () => {
    expect(filesUnder('docs/errors', /\.md$/)).toEqual(
      ADVISED.map((provider) => `docs/errors/${provider}.md`).sort(),
    );
    for (const provider of ADVISED)
      expect(read('docs/errors.md'), provider).toContain(`](errors/${provider}.md`);
  });

  it('has each code once as a heading or beside one', () => {
    for (const { provider, codes } of ADVICE) {
      const page = `docs/errors/${provider}.md`;
      expect(headings(page), page).toContain(codes[0]);
      for (const other of codes.slice(1)) expect(read(page), page).toContain(`\`${other}\``);
    }
  });
});

describe('docs/providers', () => {
  it.each(PRESETS.map((preset) => [preset.name, preset] as const))(
    '%s.md has the facts with their sources, and the rules',
    (name, preset) => {
      expectGenerated(`docs/providers/${name}.md`, 'facts', factsTable(preset));
      if (preset.preflight.length > 0)
        expectGenerated(`docs/providers/${name}.md`, 'rules', rulesTable(preset));
    },
  );

  it('has one page for each preset and no other, with a checklist and what is not verified', () => {
    expect(filesUnder('docs/providers', /\.md$/)).toEqual(
      PRESETS.map(({ name }) => `docs/providers/${name}.md`).sort(),
    );
    for (const { name } of PRESETS) {
      const text = read(`docs/providers/${name}.md`);
      expect(text.match(/^- \[ \] /gm)?.length ?? 0, name).toBeGreaterThanOrEqual(4);
      expect(text, name).toContain('Not tried on a live');
    }
  });
});

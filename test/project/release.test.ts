// What keeps a version from being published by mistake, and the workflows that publish and test it.
import { describe, expect, it } from 'vitest';
import { findObstacles } from '../../scripts/release.mjs';
import { filesUnder, read } from './sources.js';

const READY = {
  version: '1.2.3',
  changelog:
    '# Changelog\n\n## 1.2.4, unreleased\n\n- later\n\n## 1.2.3, 2026-03-01\n\n### Added\n\n- a thing\n\n## 1.2.2, 2026-02-01\n',
  tagsAtHead: ['v1.2.3'],
  changedFiles: [],
  env: {
    CI: 'true',
    ACTIONS_ID_TOKEN_REQUEST_URL: 'https://oidc.example',
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x',
  },
};

describe('a release', () => {
  it('has nothing in its way when tree, tag, changelog and CI are as they must be', () => {
    expect(findObstacles(READY)).toEqual([]);
  });

  it.each([
    ['a file that is not committed', { changedFiles: [' M src/contract.ts'] }, /not committed/],
    ['the tag of another version', { tagsAtHead: ['v1.2.2'] }, /no tag v1\.2\.3/],
    ['no tag', { tagsAtHead: [] }, /no tag/],
    [
      'a section that is still unreleased',
      { changelog: '## 1.2.3, unreleased\n\n- a thing\n' },
      /no section/,
    ],
    [
      'a section of a version that only begins alike',
      { changelog: '## 1.2.30, 2026-03-01\n\n- a thing\n' },
      /no section/,
    ],
    [
      'a section without a line',
      { changelog: '## 1.2.3, 2026-03-01\n\n### Added\n\n## 1.2.2, 2026-02-01\n\n- old\n' },
      /has no line/,
    ],
    ["a person's own computer", { env: {} }, /provenance/],
    ['CI without a token', { env: { CI: 'true' } }, /provenance/],
  ])('is refused with %s', (_what, change, reason) => {
    const obstacles = findObstacles({ ...READY, ...change });
    expect(obstacles).toHaveLength(1);
    expect(obstacles[0]).toMatch(reason);
  });
});

describe('the workflows', () => {
  const workflows = filesUnder('.github/workflows', /\.yml$/);

  it('begin without any permission, and pin every action by a commit with its tag beside it', () => {
    expect(workflows.length).toBeGreaterThanOrEqual(2);
    for (const path of workflows) {
      const text = read(path);
      expect(text, path).toMatch(/^permissions: \{\}$/m);
      const used = [...text.matchAll(/uses: (.+)/g)].map((match) => match[1] ?? '');
      expect(
        used.filter((action) => !/^[\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action)),
        path,
      ).toEqual([]);
    }
  });

  it('hold no npm token: the release is trusted by its OIDC token', () => {
    expect(workflows.filter((path) => /secrets\.|NODE_AUTH_TOKEN/.test(read(path)))).toEqual([]);
  });
});

// The end of `npm test`: its last lines alone tell which tests failed.
import { describe, expect, it } from 'vitest';
import {
  failedTests,
  slowestTests,
  testsOfPlaywright,
  testsOfVitest,
} from '../../scripts/test-summary.mjs';

const vitest = testsOfVitest({
  testResults: [
    {
      name: '/x/test/unit/clock.test.ts',
      status: 'failed',
      assertionResults: [
        { fullName: 'a clock goes', status: 'passed', duration: 10 },
        {
          fullName: 'a clock stops',
          status: 'failed',
          duration: 2500,
          failureMessages: ['\u001b[31mAssertionError: expected 1\u001b[39m\n    at x.ts:1'],
        },
        { fullName: 'a clock waits', status: 'skipped' },
      ],
    },
    {
      name: '/x/test/unit/broken.test.ts',
      status: 'failed',
      message: 'Cannot find module',
      assertionResults: [],
    },
  ],
});

const playwright = testsOfPlaywright({
  errors: [{ message: 'Error: no build' }],
  suites: [
    {
      title: 'host.spec.ts',
      specs: [],
      suites: [
        {
          title: 'a host',
          specs: [
            {
              title: 'flickers',
              tests: [
                {
                  status: 'flaky',
                  results: [
                    { duration: 4000, errors: [{ message: 'Error: late\nmore' }] },
                    { duration: 5000, errors: [] },
                  ],
                },
              ],
            },
            {
              title: 'starts',
              tests: [{ status: 'expected', results: [{ duration: 7, errors: [] }] }],
            },
          ],
        },
      ],
    },
  ],
});

const layers = new Map([
  ['types', { failed: 1, note: '', said: '\nsrc/a.ts(1,2): error TS1\nsrc/b.ts' }],
  ['lint', { failed: 0, note: '', said: 'a warning' }],
  ['unit', { failed: 2, note: '', tests: vitest }],
  ['flow', { failed: 1, note: 'ended after its limit of 900 s', tests: [] }],
  ['e2e', { failed: 2, note: '', tests: playwright }],
]);

describe('the end of a test run', () => {
  it('names each failure with its layer and the first line of its error', () => {
    expect(failedTests(layers)).toBe(
      [
        '',
        'failed',
        'types',
        '    src/a.ts(1,2): error TS1',
        'unit: clock.test.ts › a clock stops',
        '    AssertionError: expected 1',
        'unit: broken.test.ts',
        '    Cannot find module',
        'flow',
        '    ended after its limit of 900 s',
        'e2e: outside every test',
        '    Error: no build',
        'e2e: host.spec.ts › a host › flickers',
        '    Error: late',
        '',
      ].join('\n'),
    );
  });

  it('says nothing of failures when there are none', () => {
    expect(failedTests(new Map([['unit', { failed: 0, note: '', tests: [] }]]))).toBe('');
  });

  it('lists the slowest tests of all layers, the slowest first, and no more than asked', () => {
    expect(slowestTests(layers, 2).trim().split('\n')).toEqual([
      'slowest tests',
      '   9.0 s  e2e: host.spec.ts › a host › flickers',
      '   2.5 s  unit: clock.test.ts › a clock stops',
    ]);
  });
});

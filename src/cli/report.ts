// A diagnosis for a person at a terminal. The words carry the meaning; colour only repeats it.
import type { Diagnosis } from '../main/diagnosis/diagnosis.js';
import type { FindingLevel } from '../main/diagnosis/findings.js';

const WORDS: Readonly<Record<FindingLevel, string>> = {
  ok: 'ok',
  warning: 'WARNING',
  error: 'ERROR',
};
const COLORS: Readonly<Record<FindingLevel, string>> = {
  ok: '\u001b[32m',
  warning: '\u001b[33m',
  error: '\u001b[31m',
};
const DIM = '\u001b[2m';
const PLAIN = '\u001b[0m';
const LEVEL_WIDTH = 9;
const ID_WIDTH = 17;

/** One or two lines for each finding, then what was not checked, then the totals. */
export function formatDiagnosis({ findings, notChecked }: Diagnosis, color: boolean): string {
  const paint = (start: string, text: string): string => (color ? `${start}${text}${PLAIN}` : text);
  const indent = ' '.repeat(LEVEL_WIDTH + ID_WIDTH);
  const lines = findings.flatMap(({ id, level, seen, todo }) => [
    `${paint(COLORS[level], WORDS[level].padEnd(LEVEL_WIDTH))}${id.padEnd(ID_WIDTH)}${seen}`,
    ...(todo === undefined ? [] : [`${indent}-> ${todo}`]),
  ]);
  const unseen = notChecked.map(({ id, why }) =>
    paint(DIM, `${'-'.padEnd(LEVEL_WIDTH)}${id.padEnd(ID_WIDTH)}not checked: ${why}`),
  );
  return `${[...lines, ...unseen, '', sum(findings.map(({ level }) => level))].join('\n')}\n`;
}

function sum(levels: readonly FindingLevel[]): string {
  const count = (level: FindingLevel): number => levels.filter((one) => one === level).length;
  const named = (number: number, word: string): string =>
    `${number} ${word}${number === 1 ? '' : 's'}`;
  return `${named(count('error'), 'error')}, ${named(count('warning'), 'warning')}, ${count('ok')} ok`;
}

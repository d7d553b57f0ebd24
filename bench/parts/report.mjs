// @ts-check
// The rows as a table for the terminal and as Markdown for docs/performance.md. Measures nothing
// and judges nothing.

/** @typedef {import('../rows/row.mjs').Row} Row */
/** @typedef {{ date: string, quick: boolean, minutes: number, latchkey: string, electron: string, node: string, cores: number, platform: string, peers: readonly string[] }} Setting */
/** @typedef {{ groups: readonly import('../rows/row.mjs').Group[], setting: Setting }} Report */

const BEGIN = '<!-- begin: bench -->';
const END = '<!-- end: bench -->';
const MARKS = {
  pass: '✔',
  'falls short': '✘ falls short',
  'not built': '○ not built',
  wrong: '‼ WRONG',
};
const HEAD = [
  'row',
  'must reach',
  'floor',
  'best peer',
  'Latchkey',
  'to the floor',
  'to the best peer',
  'verdict',
];

/** @param {Row} row */
function cells({ title, goal, floor, bestPeer, latchkey, toFloor, toBestPeer, verdict }) {
  return [title, goal, floor, bestPeer, latchkey, toFloor, toBestPeer, MARKS[verdict]];
}

/** @param {Report} report */
export function asText({ groups, setting }) {
  const rows = groups.flatMap((group) => group.rows);
  const lines = ['', settingLine(setting), ''];
  for (const row of rows) {
    lines.push(`${MARKS[row.verdict].padEnd(14)} ${row.title}`);
    lines.push(
      `${' '.repeat(15)}Latchkey ${row.latchkey}   floor ${row.floor}   best peer ${row.bestPeer}`,
    );
    lines.push(
      `${' '.repeat(15)}to the floor ${row.toFloor}   to the best peer ${row.toBestPeer}   must reach: ${row.goal}`,
    );
    if (row.note !== undefined) lines.push(`${' '.repeat(15)}${row.note}`);
  }
  for (const { title, head, lines: table } of groups.flatMap(({ details = [] }) => details))
    lines.push('', title, '', ...columns([head, ...table]));
  return `${lines.join('\n')}\n\n${summary(rows)}\n`;
}

/** @param {Report} report */
export function asMarkdown({ groups, setting }) {
  const rows = groups.flatMap((group) => group.rows);
  const out = [
    settingLine(setting),
    '',
    `${summary(rows)} Median [10th–90th percentile].`,
    '',
    ...table(HEAD, rows.map(cells)),
    '',
  ];
  const notes = rows.filter(({ note }) => note !== undefined);
  out.push(...notes.map(({ title, note }) => `- *${title.replace(/^… /, '')}*: ${note}`));
  for (const { title, head, lines } of groups.flatMap(({ details = [] }) => details))
    out.push('', `### ${title}`, '', ...table(head, lines));
  return out.join('\n');
}

/**
 * @param {string} document
 * @param {string} text
 */
export function intoDocument(document, text) {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from === -1 || to < from) throw new Error('docs/performance.md has no place for the table');
  return `${document.slice(0, from + BEGIN.length)}\n${text}\n${document.slice(to)}`;
}

/** @param {Setting} setting */
function settingLine({ date, quick, minutes, latchkey, electron, node, cores, platform, peers }) {
  return `${date}${quick ? ', quick' : ''}, ${minutes.toFixed(0)} minutes; Electron ${electron}, Node ${node}, ${platform}, ${cores} cores, shared with other work. Latchkey ${latchkey}; ${peers.join(', ')}.`;
}

/** @param {readonly Row[]} rows */
function summary(rows) {
  /** @param {Row['verdict']} verdict */
  const count = (verdict) => rows.filter((row) => row.verdict === verdict).length;
  return `${count('pass')} rows reached, ${count('falls short')} fall short, ${count('not built')} not built, ${count('wrong')} wrong.`;
}

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} lines */
function table(head, lines) {
  return [
    `| ${head.join(' | ')} |`,
    `|${' --- |'.repeat(head.length)}`,
    ...lines.map((line) => `| ${line.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`),
  ];
}

/** @param {readonly (readonly string[])[]} lines */
function columns(lines) {
  const widths = (lines[0] ?? []).map((_head, column) =>
    Math.max(...lines.map((line) => (line[column] ?? '').length)),
  );
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

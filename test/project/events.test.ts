// The closed list of events: docs/events.md says what the code says, and every event that is listed
// is written somewhere.
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { EVENTS, EVENT_FIELDS } from '../../src/main/core/base/event-list.js';
import { expectGenerated, table } from './documents.js';
import { filesUnder, parse, walk } from './sources.js';

/**
 * Names of events that a source writes: literals, both ends of a condition, templates as patterns,
 * and a parameter's literal types.
 */
function writtenEvents(): readonly RegExp[] {
  const found: RegExp[] = [];
  const add = (node: ts.Expression): void => {
    if (ts.isStringLiteralLike(node)) found.push(new RegExp(`^${node.text}$`));
    else if (ts.isTemplateExpression(node))
      found.push(
        new RegExp(
          `^${node.head.text}${node.templateSpans.map(({ literal }) => `[a-z-]+${literal.text}`).join('')}$`,
        ),
      );
    else if (ts.isConditionalExpression(node)) [node.whenTrue, node.whenFalse].forEach(add);
  };
  for (const path of filesUnder('src/main', /\.ts$/)) {
    walk(parse(path), (node) => {
      if (ts.isPropertyAssignment(node) && node.name.getText() === 'event') add(node.initializer);
      // Handed on as `{ event }`.
      if (
        ts.isParameter(node) &&
        node.name.getText() === 'event' &&
        node.type !== undefined &&
        ts.isUnionTypeNode(node.type)
      ) {
        for (const type of node.type.types)
          if (ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal)) add(type.literal);
      }
    });
  }
  return found;
}

describe('events', () => {
  it('stand in docs/events.md as the code lists them, with their fields', () => {
    const rows = Object.entries(EVENTS).map(([name, { level, about, fields, means }]) => [
      `\`${name}\`${about === null ? '' : ` (${about})`}`,
      level,
      fields.map((field) => `\`${field}\``).join(', ') || '–',
      means,
    ]);
    expectGenerated(
      'docs/events.md',
      'events',
      table(['event', 'level', 'fields', 'what happened'], rows),
    );
    const kinds = {
      text: 'text',
      'text?': 'text or null',
      number: 'number',
      flag: 'true or false',
    } as const;
    const fields = Object.entries(EVENT_FIELDS).map(([name, { kind, means }]) => [
      `\`${name}\``,
      kinds[kind],
      means,
    ]);
    expectGenerated('docs/events.md', 'fields', table(['field', 'holds', 'what it is'], fields));
  });

  it('that are listed are written by the code, each of them', () => {
    const written = writtenEvents();
    expect(
      Object.keys(EVENTS).filter((name) => !written.some((pattern) => pattern.test(name))),
    ).toEqual([]);
  });
});

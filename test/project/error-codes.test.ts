// Every code of the closed list is reached: some test of behaviour expects it. Tests that only
// build errors do not count.
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/main/core/base/error-codes.js';
import { EVENTS } from '../../src/main/core/base/event-list.js';
import { filesUnder, parse, walk } from './sources.js';

/**
 * What these test is the list itself, the words for it, or how an error is shown: they make the
 * errors by hand.
 */
const MAKE_ERRORS_BY_HAND =
  /^test\/unit\/(errors|view|renderer|page-push|judgement|session|session-trouble|session-history|keeper)\.test\.ts$/;

function isInExpectation(node: ts.Node): boolean {
  for (let at = node.parent; at !== undefined; at = at.parent) {
    if (ts.isNewExpression(at)) return false;
    if (ts.isCallExpression(at) && /^(await )?expect(\.poll)?\(/.test(at.getText())) return true;
  }
  return false;
}

/** Rows of `it.each`: what they hold is compared in the body of the test. */
function isInTable(node: ts.Node): boolean {
  for (let at = node.parent; at !== undefined; at = at.parent) {
    if (ts.isNewExpression(at)) return false;
    if (ts.isCallExpression(at) && /^(it|test)\.each\b/.test(at.expression.getText()))
      return at.arguments.some(
        (argument) =>
          argument.pos <= node.pos && node.end <= argument.end && !ts.isFunctionLike(argument),
      );
  }
  return false;
}

/** Some events have the name of a code: what is expected of a log says nothing of an error. */
function isOfLog(node: ts.Node): boolean {
  let statement = node;
  while (!ts.isStatement(statement)) statement = statement.parent;
  return (
    Object.hasOwn(EVENTS, (node as ts.StringLiteralLike).text) &&
    /names\(\)|events/.test(statement.getText())
  );
}

function reachedCodes(): ReadonlyMap<string, readonly string[]> {
  const reached = new Map<string, string[]>();
  for (const path of filesUnder('test', /\.(test|spec)\.ts$/)) {
    if (path.startsWith('test/project/') || MAKE_ERRORS_BY_HAND.test(path)) continue;
    walk(parse(path), (node) => {
      if (
        !ts.isStringLiteralLike(node) ||
        !Object.hasOwn(ERROR_CODES, node.text) ||
        !(isInExpectation(node) || isInTable(node)) ||
        isOfLog(node)
      )
        return;
      reached.set(node.text, [...(reached.get(node.text) ?? []), path]);
    });
  }
  return reached;
}

describe('the closed list of error codes', () => {
  it('is reached by tests of behaviour, each code by one at least', () => {
    const reached = reachedCodes();
    expect(Object.keys(ERROR_CODES).filter((code) => !reached.has(code))).toEqual([]);
  });

  it('is reached beyond the machines: by a whole engine, the provider over HTTP, or the real app', () => {
    const reached = reachedCodes();
    // What only single parts can say: an option, a page that is refused before anything is asked.
    const alone = new Set(['invalid-options', 'page-refused', 'internal']);
    const whole =
      /^test\/(unit\/(engine\/.*|session\/renewal-verdicts|authorization\/engine-redirects|migration\/migration)|flow\/.*|contract\/.*|e2e\/.*)\.(test|spec)\.ts$/;
    expect(
      Object.keys(ERROR_CODES).filter(
        (code) => !alone.has(code) && !(reached.get(code) ?? []).some((path) => whole.test(path)),
      ),
    ).toEqual([]);
  });
});

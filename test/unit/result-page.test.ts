import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { resultPage } from '../../src/main/adapters/result-page.js';
import type { TripOutcome } from '../../src/main/core/ports.js';

const outcomes: readonly TripOutcome[] = ['signed-in', 'denied', 'failed', 'not-expected'];
const titleOf = (html: string): string => /<h1>(.*)<\/h1>/.exec(html)?.[1] ?? '';

describe('the loopback result page', () => {
  it('tells every outcome by a headline of its own', () => {
    const titles = outcomes.map((outcome) => titleOf(resultPage(outcome, 'Notes').html));
    expect(titles).toEqual(['You are signed in', 'You are not signed in', 'Sign-in did not work', 'This page has done its work already']);
  });

  it('says that the tab can be closed only when nothing is left to do', () => {
    const closing = outcomes.filter((outcome) => resultPage(outcome, 'Notes').html.includes('You can close this tab'));
    expect(closing).toEqual(['signed-in', 'denied']);
  });

  it.each(outcomes)('claims a sign-in for no outcome but signed-in (%s)', (outcome) => {
    const claims = resultPage(outcome, 'Notes').html.includes('You are signed in');
    expect(claims).toBe(outcome === 'signed-in');
  });

  it.each(outcomes)('has a style that its own policy allows, and no script, link out or form (%s)', (outcome) => {
    const { html, headers } = resultPage(outcome, 'Notes');
    const style = /<style>([\s\S]*)<\/style>/.exec(html)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(headers['Content-Security-Policy']).toContain(`style-src 'sha256-${hash}'`);
    expect(headers['Content-Security-Policy']).toContain("default-src 'none'");
    expect(headers['Content-Security-Policy']).toContain("frame-ancestors 'none'");
    expect(html).not.toMatch(/<script|<form|<iframe|https?:|style="|\son[a-z]+=/i);
  });

  it('keeps its address from caches and other sites', () => {
    const { headers } = resultPage('signed-in', 'Notes');
    expect(headers).toMatchObject({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer', 'X-Content-Type-Options': 'nosniff' });
  });

  it('escapes the name of the app wherever it stands', () => {
    const { html } = resultPage('failed', `<img src=x onerror="alert('1')">&`);
    expect(html).not.toContain('<img');
    expect(html).toContain('&#60;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&#62;&#38;');
  });

  it('cuts an endless name and stands in for an empty one', () => {
    expect(resultPage('signed-in', 'x'.repeat(5000)).html.length).toBeLessThan(4000);
    expect(resultPage('signed-in', '  ').html).toContain('The app knows you now');
  });
});

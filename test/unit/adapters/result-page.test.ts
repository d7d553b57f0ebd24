// The page at the end of a loopback trip: what it says, that it can do nothing, and that a host's
// words and colours stay harmless.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ResultPage,
  createResultPages,
} from '../../../src/main/adapters/loopback/result-page.js';
import { contrast, readableOn } from '../../../src/main/adapters/loopback/result-theme.js';
import type { ResultPageSettings } from '../../../src/main/core/options/auth-options.js';
import type { PageOutcome } from '../../../src/main/core/base/ports.js';

const resultPage = (
  outcome: PageOutcome,
  appName: string,
  settings: Partial<ResultPageSettings> = {},
  scheme: string | null = null,
): ResultPage => createResultPages(settings, appName)(outcome, scheme);

const outcomes: readonly PageOutcome[] = [
  'signed-in',
  'denied',
  'failed',
  'not-expected',
  'signed-out',
];
const titleOf = (html: string): string => /<h1>(.*)<\/h1>/.exec(html)?.[1] ?? '';

describe('the loopback result page', () => {
  it('tells every outcome by a headline of its own', () => {
    const titles = outcomes.map((outcome) => titleOf(resultPage(outcome, 'Notes').html));
    expect(titles).toEqual([
      'You are signed in',
      'You are not signed in',
      'Sign-in did not work',
      'This page has done its work already',
      'You are signed out',
    ]);
  });

  it('says that the tab can be closed only when nothing is left to do', () => {
    const closing = outcomes.filter((outcome) =>
      resultPage(outcome, 'Notes').html.includes('You can close this tab'),
    );
    expect(closing).toEqual(['signed-in', 'denied', 'signed-out']);
  });

  it.each(outcomes)('claims a sign-in for no outcome but signed-in (%s)', (outcome) => {
    const claims = resultPage(outcome, 'Notes').html.includes('You are signed in');
    expect(claims).toBe(outcome === 'signed-in');
  });

  it.each(outcomes)(
    'has a style that its own policy allows, and no script, link out or form (%s)',
    (outcome) => {
      const { html, headers } = resultPage(outcome, 'Notes');
      const style = /<style>([\s\S]*)<\/style>/.exec(html)?.[1] ?? '';
      const hash = createHash('sha256').update(style).digest('base64');
      expect(headers['Content-Security-Policy']).toContain(`style-src 'sha256-${hash}'`);
      expect(headers['Content-Security-Policy']).toContain("default-src 'none'");
      expect(headers['Content-Security-Policy']).toContain("frame-ancestors 'none'");
      expect(html).not.toMatch(/<script|<form|<iframe|https?:|style="|\son[a-z]+=/i);
    },
  );

  it('keeps its address from caches and other sites', () => {
    const { headers } = resultPage('signed-in', 'Notes');
    expect(headers).toMatchObject({
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    });
  });

  it('escapes the name of the app wherever it stands', () => {
    const { html } = resultPage('failed', `<img src=x onerror="alert('1')">&`);
    expect(html).not.toContain('<img');
    expect(html).toContain('&#60;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&#62;&#38;');
  });

  it('cuts an endless name and stands in for an empty one', () => {
    expect(resultPage('signed-in', 'x'.repeat(5000)).html.length).toBeLessThan(6000);
    expect(resultPage('signed-in', '  ').html).toContain('The app knows you now');
  });

  it('says what the host wants, in its language and direction, and English where it says nothing', () => {
    const texts = {
      'signed-in': {
        title: 'Du bist angemeldet',
        text: '{app} kennt dich jetzt. {app}!',
        closing: 'Du kannst das Fenster schließen.',
      },
    };
    const { html } = resultPage(
      'signed-in',
      'Notizen',
      { lang: 'de', dir: 'rtl', texts, openApp: '{app} öffnen' },
      'com.example.notes',
    );
    expect(html).toContain('<html lang="de" dir="rtl">');
    expect(html).toContain('<p>Notizen kennt dich jetzt. Notizen!</p>');
    expect(html).toContain('<a href="com.example.notes:">Notizen öffnen</a>');
    expect(titleOf(resultPage('denied', 'Notizen', { lang: 'de', texts }).html)).toBe(
      'You are not signed in',
    );
  });

  it('escapes the words of the host, and a name that looks like a placeholder or a pattern', () => {
    const evil = '</style><script>alert(1)</script>{app}';
    const { html } = resultPage(
      'failed',
      '$& {app} <b>',
      { texts: { failed: { title: evil, text: evil, closing: evil } }, openApp: evil },
      'a.b',
    );
    expect(html).not.toMatch(/<script|<b>/);
    expect(titleOf(html)).toBe(
      '&#60;/style&#62;&#60;script&#62;alert(1)&#60;/script&#62;$&#38; {app} &#60;b&#62;',
    );
  });

  it('leads to the bare scheme and nowhere else', () => {
    for (const outcome of outcomes)
      expect(
        [
          ...resultPage(outcome, 'Notes', {}, 'com.example.notes').html.matchAll(/href="([^"]*)"/g),
        ].map((match) => match[1]),
      ).toEqual(['data:,', 'com.example.notes:']);
  });

  it('keeps its policy when the colour changes', () => {
    const { html, headers } = resultPage('signed-in', 'Notes', { accentColor: '#ffcc00' });
    const style = /<style>([\s\S]*)<\/style>/.exec(html)?.[1] ?? '';
    expect(headers['Content-Security-Policy']).toContain(
      createHash('sha256').update(style).digest('base64'),
    );
    expect(style).toContain('#ffcc00');
  });
});

describe('an accent colour', () => {
  const anyColor = fc
    .integer({ min: 0, max: 0xff_ff_ff })
    .map((value) => `#${value.toString(16).padStart(6, '0')}`);

  it('can be read on the card in light and dark, and the label on the button, whatever colour the host likes', () => {
    fc.assert(
      fc.property(anyColor, (accentColor) => {
        const { html } = resultPage('signed-in', 'Notes', { accentColor });
        for (const [index, card] of ['#ffffff', '#1f2422'].entries()) {
          const shade = (name: string): string =>
            [...html.matchAll(new RegExp(`--${name}:(#[0-9a-f]{6})`, 'g'))][index]?.[1] ??
            'missing';
          for (const ground of [card, shade('accent-ground')])
            expect(contrast(shade('accent'), ground)).toBeGreaterThanOrEqual(4.5);
          for (const button of ['accent', 'accent-strong'])
            expect(contrast(shade('on-accent'), shade(button))).toBeGreaterThanOrEqual(4.5);
        }
      }),
    );
  });

  it('that can be read already stays as it is', () => {
    expect([
      readableOn('#0f6b5c', '#ffffff', 'light'),
      readableOn('#62cbb4', '#1f2422', 'dark'),
    ]).toEqual(['#0f6b5c', '#62cbb4']);
  });

  it('measures contrast as WCAG does', () => {
    expect([contrast('#000000', '#ffffff'), contrast('#ffffff', '#ffffff')]).toEqual([21, 1]);
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
  });
});

// The card "For developers" on the right side: what an error means to whoever builds the app, and how to put it right.
// Shown only when the view carries advice; nothing of it is for the person on the left side. Addresses are text, not links:
// this window goes nowhere.
import { element, isNews, make } from './demo-dom.js';
import type { Face } from './demo-face.js';
import type { AdviceView, ProviderErrorView } from './index.js';

/** Shows the advice of the error behind the face, or no card. It stays folded when it was folded. */
export function paintAdvice({ error }: Face): void {
  const card = element('#advice');
  const advice = error?.advice;
  card.hidden = advice === undefined;
  if (!isNews(card, [advice, error?.provider])) return;
  element('#advice-text').replaceChildren(...(advice === undefined ? [] : linesOf(advice, error?.provider ?? {})));
}

function linesOf({ code, title, what, why, fix, tempting, links, source }: AdviceView, provider: ProviderErrorView): readonly HTMLElement[] {
  return [
    make('p', code, 'advice-code'),
    make('h3', title, 'advice-title'),
    make('p', what),
    ...part('Why', make('p', why)),
    ...part('The fix', list('ol', fix.map((step) => make('li', step)))),
    ...(tempting === undefined ? [] : part('What does not help', make('p', tempting.fix, 'advice-wrong'), make('p', tempting.fails))),
    ...(links.length === 0 ? [] : part('To read', list('ul', links.map(toAddress)))),
    ...part('For the provider’s support', list('ul', idsOf(provider).map((id) => make('li', id)))),
    make('p', `${source.verified ? 'Read' : 'Not found written down; compare'} at ${source.url}, ${source.date}`, 'advice-source'),
  ];
}

/** A heading and what belongs to it; an empty list is no part. */
function part(title: string, ...content: readonly HTMLElement[]): readonly HTMLElement[] {
  return content.some((one) => one.childNodes.length > 0) ? [make('h3', title), ...content] : [];
}

function list(tag: 'ol' | 'ul', items: readonly HTMLElement[]): HTMLElement {
  const made = make(tag, '');
  made.append(...items);
  return made;
}

function toAddress({ title, url }: AdviceView['links'][number]): HTMLElement {
  const item = make('li', title);
  item.append(make('span', url, 'advice-address'));
  return item;
}

/** What the provider's support asks for. */
function idsOf({ code, suberror, correlationId, traceId, timestamp }: ProviderErrorView): readonly string[] {
  const named = { code, suberror, 'correlation id': correlationId, 'trace id': traceId, time: timestamp };
  return Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]));
}

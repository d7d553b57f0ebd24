// The card "For developers" on the right side: what an error means for the app's developer, and how
// to put it right. Shown only when the view carries advice; nothing of it is for the person on the
// left side. Addresses are text, not links: this window goes nowhere.
import { element, isNews, make } from './dom.js';
import type { Face } from './face-model.js';
import type { AdviceView, ProviderErrorView } from '../index.js';

/**
 * Shows the advice of the error behind the face, or no card. It stays folded when it was folded.
 */
export function paintAdvice({ error }: Face): void {
  const card = element('#advice');
  const advice = error?.advice;
  card.hidden = advice === undefined;
  if (!isNews(card, [advice, error?.provider])) return;
  element('#advice-text').replaceChildren(
    ...(advice === undefined ? [] : linesOf(advice, error?.provider ?? {})),
  );
}

function linesOf(
  { code, title, what, why, fix, tempting, links, source }: AdviceView,
  provider: ProviderErrorView,
): readonly HTMLElement[] {
  return [
    make('p', code, 'advice-code'),
    make('h3', title, 'advice-title'),
    say('p', what),
    ...part('Why', say('p', why)),
    ...part(
      'The fix',
      list(
        'ol',
        fix.map((step) => say('li', step)),
      ),
    ),
    ...(tempting === undefined
      ? []
      : part(
          'What does not help',
          say('p', tempting.fix, 'advice-wrong'),
          say('p', tempting.fails),
        )),
    ...(links.length === 0 ? [] : part('To read', list('ul', links.map(toAddress)))),
    ...part(
      'For the provider’s support',
      list(
        'ul',
        idsOf(provider).map((id) => make('li', id)),
      ),
    ),
    make('p', whereFrom(source, links), 'advice-source'),
  ];
}

/** The advice is written with code between backticks, as documents are. */
function say(tag: string, text: string, className = ''): HTMLElement {
  const made = make(tag, '', className);
  made.append(
    ...text.split('`').map((piece, index) => (index % 2 === 1 ? make('code', piece) : piece)),
  );
  return made;
}

function whereFrom(
  { url, date, verified }: AdviceView['source'],
  links: AdviceView['links'],
): string {
  const place = links.some((link) => link.url === url) ? '' : ` at ${url}`;
  return verified
    ? `Read${place} on ${date}.`
    : `General knowledge of ${date}, not found written down.`;
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
function idsOf({
  code,
  suberror,
  correlationId,
  traceId,
  timestamp,
}: ProviderErrorView): readonly string[] {
  const named = {
    code,
    suberror,
    'correlation id': correlationId,
    'trace id': traceId,
    time: timestamp,
  };
  return Object.entries(named).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${value}`],
  );
}

// The few ways in which the demo touches its page. Each changes only what differs, so that neither
// focus nor a screen reader is disturbed; text stays text, and no markup is ever parsed.

/** Finds an element that demo.html surely has. */
export function element<Kind extends Element = HTMLElement>(selector: string): Kind {
  const found = document.querySelector<Kind>(selector);
  if (found === null) throw new Error(`demo.html has no "${selector}"`);
  return found;
}

/** A new element that holds this text. */
export function make(tag: string, text: string, className = ''): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className !== '') made.className = className;
  return made;
}

/** Sets the text, if it is another one. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** Sets a `data-` value, if it is another one. */
export function setData(target: HTMLElement | SVGElement, name: string, value: string): void {
  if (target.dataset[name] !== value) target.dataset[name] = value;
}

/** Whether this is something else than was shown there last; remembers it. */
export function isNews(target: HTMLElement, shown: unknown): boolean {
  const text = JSON.stringify(shown);
  if (target.dataset['shown'] === text) return false;
  target.dataset['shown'] = text;
  return true;
}

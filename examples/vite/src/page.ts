// The page: shows who is signed in.
import { auth, type PageView } from 'latchkey/renderer';

const text = document.querySelector('output');

function show(view: PageView): void {
  if (text === null) return;
  text.value =
    view.status === 'signed-in'
      ? `Hello ${view.account.name ?? view.account.subject}${view.remembered ? ', see you tomorrow' : ''}`
      : view.status === 'unavailable'
        ? view.error.message
        : view.status;
}

auth.subscribe(show);
document.querySelector('button')?.addEventListener('click', () => {
  auth.signIn().catch((error: unknown) => console.error(error));
});

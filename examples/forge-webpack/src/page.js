// The page: shows who is signed in.
import { auth } from 'latchkey/renderer';

const text = document.querySelector('output');

auth.subscribe((view) => {
  text.value =
    view.status === 'signed-in'
      ? `Hello ${view.account.name ?? view.account.subject}${view.remembered ? ', see you tomorrow' : ''}`
      : view.status === 'unavailable'
        ? view.error.message
        : view.status;
});
document.querySelector('button').addEventListener('click', () => {
  auth.signIn().catch((error) => console.error(error));
});

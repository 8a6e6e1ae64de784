// Polls with If-None-Match: a page left open gets 304 and costs next to nothing.

const pollMs = 2000;
const labelMs = 1500;

/** @import { InboxMessage } from './inbox.js' */
/** @type {InboxMessage[]} */
let messages = [];
/** @type {string | null} */
let tag = null;
/** @type {string | undefined} what the reader clicked; until then the newest is shown */
let chosen;
/** @type {string | undefined} */
let shown;
let offline = false;

const search = element('search', HTMLInputElement);
search.value = new URLSearchParams(location.search).get('to') ?? '';

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${type.name} named ${id}`);
  return found;
}

/**
 * @param {string} id
 * @param {string} text
 */
function setText(id, text) {
  const { textContent } = element(id, HTMLElement);
  if (textContent !== text) element(id, HTMLElement).textContent = text;
}

/**
 * @param {string} id
 * @param {boolean} visible
 */
function toggle(id, visible) {
  element(id, HTMLElement).hidden = !visible;
}

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {string} className
 * @param {...(Node | string)} content
 */
function make(name, className, ...content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

/**
 * @param {InboxMessage} message
 * @param {boolean} current
 */
function item(message, current) {
  const time = make('time', '', new Date(message.received_at).toLocaleTimeString());
  time.dateTime = message.received_at;
  const badge = make('span', 'badge', message.channel === 'sms' ? 'SMS' : 'Mail');
  const button = make(
    'button',
    '',
    make('span', 'row', make('span', 'to', message.to), time),
    make('span', 'what', badge, message.subject ?? message.text),
  );
  button.type = 'button';
  button.dataset['id'] = message.id;
  button.setAttribute('aria-current', String(current));
  button.addEventListener('click', () => {
    chosen = message.id;
    render();
  });
  return make('li', '', button);
}

/** @param {InboxMessage | undefined} message */
function show(message) {
  toggle('empty', !message);
  setText('nothing', messages.length > 0 ? 'No message to this recipient' : 'Nothing here yet');
  toggle('content', message !== undefined);
  if (!message || shown === message.id) return;
  shown = message.id;
  setText('subject', message.subject ?? 'SMS');
  setText('to', message.to);
  setText('channel', message.channel === 'sms' ? 'SMS' : 'Mail');
  setText('received', new Date(message.received_at).toLocaleString());
  element('received', HTMLTimeElement).dateTime = message.received_at;
  setText('message-id', message.message_id ?? 'none');
  toggle('code-box', message.code !== null);
  setText('code', message.code ?? '');
  toggle('link-box', message.link !== null);
  if (message.link === null) element('link', HTMLAnchorElement).removeAttribute('href');
  else element('link', HTMLAnchorElement).href = message.link;
  setText('text', message.text);
  element('text-box', HTMLDetailsElement).open = message.html === null;
  toggle('html', message.html !== null);
  element('html', HTMLIFrameElement).srcdoc = message.html === null ? '' : inNewTabs(message.html);
}

/**
 * The sandboxed frame may not navigate itself to the confirmation: that page would be without scripts and forms.
 *
 * @param {string} html
 */
function inNewTabs(html) {
  const base = '<base target="_blank">';
  const withBase = html.replace(/<head[^>]*>/i, (head) => head + base);
  return withBase === html ? base + html : withBase;
}

function render() {
  const wanted = search.value.trim().toLowerCase();
  const listed = messages.filter(({ to }) => to.includes(wanted));
  const current = listed.find(({ id }) => id === chosen) ?? listed[0];
  const focused = document.activeElement instanceof HTMLElement && document.activeElement.dataset['id'];
  const list = element('list', HTMLUListElement);
  list.replaceChildren(...listed.map((message) => item(message, message === current)));
  if (focused) [...list.querySelectorAll('button')].find(({ dataset }) => dataset['id'] === focused)?.focus();
  show(current);
  const all = `${messages.length} message${messages.length === 1 ? '' : 's'}`;
  setText('status', listed.length === messages.length ? all : `${listed.length} of ${all}`);
}

async function poll() {
  if (!document.hidden) {
    try {
      const response = await fetch('inbox/messages', { headers: tag ? { 'If-None-Match': tag } : {} });
      if (response.status === 200) {
        messages = /** @type {InboxMessage[]} */ (await response.json());
        tag = response.headers.get('ETag');
      }
      if (response.status === 200 || (response.status === 304 && offline)) render();
      offline = false;
    } catch {
      offline = true;
      setText('status', 'The server does not answer. Trying again…');
    }
  }
  setTimeout(() => void poll(), pollMs);
}

/**
 * @param {string} id
 * @param {() => string} source
 */
function copier(id, source) {
  const button = element(id, HTMLButtonElement);
  const label = button.textContent;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(source());
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Select and copy it';
    }
    setTimeout(() => {
      button.textContent = label;
    }, labelMs);
  };
  button.addEventListener('click', () => void copy());
}

copier('copy-code', () => element('code', HTMLElement).textContent);
copier('copy-link', () => element('link', HTMLAnchorElement).href);
search.addEventListener('input', () => {
  chosen = undefined;
  const to = search.value.trim();
  history.replaceState(null, '', to ? `?to=${encodeURIComponent(to)}` : location.pathname);
  render();
});
void poll();

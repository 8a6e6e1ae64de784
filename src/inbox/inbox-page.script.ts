/** Runs in the browser. It asks for news with If-None-Match, so that a page left open costs next to nothing. */
export const inboxScript = `(function () {
  'use strict';
  var pollMs = 2000;
  var messages = [];
  var tag = null;
  var chosen = null; // what the reader clicked; until then the newest is shown
  var shown = null;
  var element = function (id) { return document.getElementById(id); };
  var search = element('search');
  search.value = new URLSearchParams(location.search).get('to') || '';

  function make(name, className, text) {
    var made = document.createElement(name);
    if (className) made.className = className;
    made.textContent = text;
    return made;
  }

  function visible() {
    var wanted = search.value.trim().toLowerCase();
    return messages.filter(function (message) { return message.to.indexOf(wanted) !== -1; });
  }

  function item(message, current) {
    var button = make('button', '', '');
    button.type = 'button';
    button.dataset.id = message.id;
    button.setAttribute('aria-current', String(current));
    var row = make('span', 'row', '');
    var time = make('time', '', new Date(message.received_at).toLocaleTimeString());
    time.dateTime = message.received_at;
    row.append(make('span', 'to', message.to), time);
    var what = make('span', 'what', message.subject === null ? message.text : message.subject);
    what.prepend(make('span', 'badge', message.channel === 'sms' ? 'SMS' : 'Mail'));
    button.append(row, what);
    button.addEventListener('click', function () { chosen = message.id; render(); });
    var entry = document.createElement('li');
    entry.append(button);
    return entry;
  }

  function show(message) {
    element('empty').hidden = Boolean(message);
    element('nothing').textContent = messages.length > 0 ? 'No message to this recipient' : 'Nothing here yet';
    element('content').hidden = !message;
    if (!message || shown === message.id) return;
    shown = message.id;
    element('subject').textContent = message.subject === null ? 'SMS' : message.subject;
    element('to').textContent = message.to;
    element('channel').textContent = message.channel === 'sms' ? 'SMS' : 'Mail';
    element('received').textContent = new Date(message.received_at).toLocaleString();
    element('received').dateTime = message.received_at;
    element('message-id').textContent = message.message_id || 'none';
    element('code-box').hidden = message.code === null;
    element('code').textContent = message.code || '';
    element('link-box').hidden = message.link === null;
    if (message.link === null) element('link').removeAttribute('href');
    else element('link').href = message.link;
    element('text').textContent = message.text;
    element('text-box').open = message.html === null;
    element('html').hidden = message.html === null;
    element('html').srcdoc = message.html === null ? '' : inNewTabs(message.html);
  }

  // The frame may not navigate itself to the confirmation: there it would be without scripts and forms.
  function inNewTabs(html) {
    var base = '<base target="_blank">';
    var withBase = html.replace(/<head[^>]*>/i, function (head) { return head + base; });
    return withBase === html ? base + html : withBase;
  }

  function render() {
    var list = visible();
    var current = list.find(function (message) { return message.id === chosen; }) || list[0];
    var focused = document.activeElement && document.activeElement.dataset.id;
    element('list').replaceChildren.apply(
      element('list'),
      list.map(function (message) { return item(message, message === current); })
    );
    if (focused) {
      var again = element('list').querySelector('[data-id="' + focused + '"]');
      if (again) again.focus();
    }
    show(current);
    say(list.length === messages.length ? counted(list.length) : list.length + ' of ' + counted(messages.length));
  }

  function counted(count) { return count === 1 ? '1 message' : count + ' messages'; }

  function say(text) {
    if (element('status').textContent !== text) element('status').textContent = text;
  }

  async function poll() {
    if (!document.hidden) {
      try {
        var response = await fetch('inbox/messages', { headers: tag ? { 'If-None-Match': tag } : {} });
        if (response.status === 200) {
          messages = await response.json();
          tag = response.headers.get('ETag');
        }
        if (response.status === 200 || response.status === 304 && element('status').dataset.away) render();
        delete element('status').dataset.away;
      } catch (error) {
        element('status').dataset.away = 'true';
        say('The server does not answer. Trying again…');
      }
    }
    setTimeout(poll, pollMs);
  }

  function copier(button, source) {
    var label = button.textContent;
    button.addEventListener('click', async function () {
      try {
        await navigator.clipboard.writeText(source());
        button.textContent = 'Copied';
      } catch (error) {
        button.textContent = 'Select and copy it';
      }
      setTimeout(function () { button.textContent = label; }, 1500);
    });
  }

  copier(element('copy-code'), function () { return element('code').textContent; });
  copier(element('copy-link'), function () { return element('link').href; });
  search.addEventListener('input', function () {
    chosen = null;
    var to = search.value.trim();
    history.replaceState(null, '', to ? '?to=' + encodeURIComponent(to) : location.pathname);
    render();
  });
  poll();
})();
`;

/** The frame of the page; everything that came with a message is put in by the script, as text and never as markup. */
export const inboxPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Inbox</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="inbox/inbox.css">
<script src="inbox/inbox.js" type="module"></script>
</head>
<body>
<header>
  <h1>Inbox</h1>
  <p id="status" role="status">Loading…</p>
  <label for="search">To</label>
  <input id="search" type="search" placeholder="name@example.com or +1234567890" autocomplete="off" spellcheck="false">
</header>
<main>
  <nav aria-label="Messages"><ul id="list"></ul></nav>
  <article id="message" aria-live="polite">
    <section id="empty">
      <h2 id="nothing">Nothing here yet</h2>
      <p>Every mail and SMS that this server sends in development arrives here. Nothing leaves this machine.</p>
    </section>
    <section id="content" hidden>
      <h2 id="subject"></h2>
      <dl>
        <div><dt>To</dt><dd id="to"></dd></div>
        <div><dt>Channel</dt><dd id="channel"></dd></div>
        <div><dt>Received</dt><dd><time id="received"></time></dd></div>
        <div><dt>Message id</dt><dd id="message-id"></dd></div>
      </dl>
      <div id="actions">
        <span id="code-box"><span class="caption" id="code-caption">Code</span>
          <output id="code" aria-labelledby="code-caption"></output>
          <button type="button" id="copy-code">Copy code</button></span>
        <span id="link-box"><a id="link" target="_blank" rel="noopener noreferrer">Open the link</a>
          <button type="button" id="copy-link">Copy link</button></span>
      </div>
      <iframe id="html" title="The mail as a mail program shows it"
        sandbox="allow-popups allow-popups-to-escape-sandbox" referrerpolicy="no-referrer"></iframe>
      <details id="text-box"><summary>Text</summary><pre id="text"></pre></details>
    </section>
  </article>
</main>
<noscript><p>This page needs JavaScript. The same as JSON: <a href="inbox/messages">inbox/messages</a></p></noscript>
</body>
</html>
`;

export const inboxStyle = `:root {
  color-scheme: light dark;
  --line: light-dark(#d7dbe0, #3a3f47);
  --muted: light-dark(#59616b, #a3abb5);
  --panel: light-dark(#ffffff, #1b1e23);
  --ground: light-dark(#f4f5f7, #121417);
  --accent: light-dark(#1a56db, #8ab4ff);
  --on-accent: light-dark(#ffffff, #0b1526);
  --chosen: light-dark(#e4edff, #223251);
  font: 16px/1.5 system-ui, sans-serif;
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--ground); }
header { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; padding: .75rem 1rem;
  background: var(--panel); border-bottom: 1px solid var(--line); }
h1 { font-size: 1.2rem; margin: 0; }
#status { margin: 0; color: var(--muted); flex: 1 1 10rem; }
#search { flex: 0 1 22rem; min-width: 0; font: inherit; padding: .4rem .6rem;
  border: 1px solid var(--line); border-radius: .4rem; }
main { flex: 1; display: grid; grid-template-columns: minmax(16rem, 24rem) minmax(0, 1fr); }
nav { border-right: 1px solid var(--line); background: var(--panel); overflow-y: auto; max-height: calc(100vh - 4rem); }
ul { list-style: none; margin: 0; padding: 0; }
li button { display: block; width: 100%; text-align: left; font: inherit; color: inherit; background: none; border: 0;
  border-bottom: 1px solid var(--line); padding: .6rem 1rem; cursor: pointer; overflow-wrap: anywhere; }
li button:hover { background: var(--ground); }
li button[aria-current=true] { background: var(--chosen); }
li .row { display: flex; justify-content: space-between; gap: .75rem; }
li .to { font-weight: 600; }
li .what, li time { color: var(--muted); font-size: .875rem; }
li .badge { font-size: .75rem; border: 1px solid var(--line); border-radius: .3rem; padding: 0 .35rem; margin-right: .4rem; }
article { padding: 1rem 1.5rem; min-width: 0; display: flex; flex-direction: column; }
#content { flex: 1; display: flex; flex-direction: column; gap: 1rem; }
h2 { margin: 0; font-size: 1.35rem; overflow-wrap: anywhere; }
dl { margin: 0; display: flex; flex-wrap: wrap; gap: .25rem 2rem; }
dl div { display: flex; gap: .5rem; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
#actions { display: flex; flex-wrap: wrap; gap: .75rem 2rem; align-items: center; }
#actions > span { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: center; }
.caption { color: var(--muted); }
#code { font: 600 2rem/1.2 ui-monospace, monospace; letter-spacing: .12em; user-select: all; }
#actions a, #actions button { font: inherit; border-radius: .4rem; padding: .4rem .8rem; cursor: pointer; }
#actions a { background: var(--accent); color: var(--on-accent); text-decoration: none; font-weight: 600; }
#actions button { background: var(--panel); color: inherit; border: 1px solid var(--line); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
li button:focus-visible { outline-offset: -3px; }
iframe { flex: 1; width: 100%; min-height: 28rem; border: 1px solid var(--line); border-radius: .4rem; background: Canvas; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; padding: 1rem; background: var(--panel);
  border: 1px solid var(--line); border-radius: .4rem; font: .95rem/1.5 ui-monospace, monospace; }
summary { cursor: pointer; padding: .25rem 0; }
noscript p { padding: 1rem; }
@media (max-width: 48rem) {
  main { grid-template-columns: 1fr; }
  nav { border-right: 0; max-height: 40vh; border-bottom: 1px solid var(--line); }
  article { padding: 1rem; }
  #search { flex: 1 1 100%; }
}
`;

'use strict';

// Debounces the button: the answer to a second post is the one that the browser would show, an error for a link that has
// just worked. A page restored from the back/forward cache reloads, since its link may have been used meanwhile.
// Optional: the form works without scripts, and nothing here presses the button.

let pressed = false;
document.querySelector('form')?.addEventListener('submit', (event) => {
  if (pressed) event.preventDefault();
  pressed = true;
  setTimeout(() => {
    pressed = false;
  }, 5000);
});
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

// Runs before the first paint, so that nobody who chose dark sees a white flash. A file of its own
// because the pages' policy allows no script inside HTML.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem('leadpulse.theme');
  } catch {
    // Without storage the system decides.
  }
  var dark = matchMedia('(prefers-color-scheme: dark)').matches;
  var theme = chosen === 'light' || chosen === 'dark' ? chosen : dark ? 'dark' : 'light';
  document.documentElement.dataset.theme = theme;
  var bar = document.querySelector('meta[name="theme-color"]');
  if (bar) bar.setAttribute('content', theme === 'dark' ? '#0f0f12' : '#ffffff');
})();

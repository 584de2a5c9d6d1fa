// Runs before the page is drawn, so that a chosen theme does not flash.
(function () {
  "use strict";
  var chosen = null;
  try {
    chosen = localStorage.getItem("mailconvoy-theme");
  } catch (error) {
    // Storage may be forbidden; then the system's choice holds.
  }
  if (chosen === "light" || chosen === "dark") {
    document.documentElement.dataset.theme = chosen;
  }
})();

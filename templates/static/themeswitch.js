const ORDER = ["auto", "light", "dark"];

export function themeSwitch() {
  const button = document.querySelector("[data-theme-switch]");
  if (!button) {
    return;
  }
  const root = document.documentElement;
  const show = () => {
    button.textContent = `Theme: ${root.dataset.theme ?? "auto"}`;
  };
  button.addEventListener("click", () => {
    const next = ORDER[(ORDER.indexOf(root.dataset.theme ?? "auto") + 1) % ORDER.length];
    if (next === "auto") {
      delete root.dataset.theme;
    } else {
      root.dataset.theme = next;
    }
    try {
      if (next === "auto") {
        localStorage.removeItem("mailconvoy-theme");
      } else {
        localStorage.setItem("mailconvoy-theme", next);
      }
    } catch {
      // It holds for this page, then.
    }
    show();
  });
  show();
}

// The choice between light and dark, kept for the next visit where the browser keeps things.

const THEME = "semantic-indexers-theme";

function setTheme(theme) {
  document.documentElement.style.colorScheme = theme || "light dark";
  byId("theme").value = theme;
}

function kept(action) {
  try {
    return action();
  } catch {
    return null; // the browser keeps nothing for files
  }
}

setTheme(kept(() => localStorage.getItem(THEME)) ?? "");
byId("theme").addEventListener("change", () => {
  setTheme(byId("theme").value);
  kept(() => localStorage.setItem(THEME, byId("theme").value));
});

// Light or dark: the system's choice is followed while nobody has made another, which is all that the browser keeps for this page.
const KEY = "tidestream-colours";

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // a browser that keeps nothing
  }
}

function store(value) {
  try {
    if (value === "auto") {
      localStorage.removeItem(KEY);
    } else {
      localStorage.setItem(KEY, value);
    }
  } catch {
    // for this page alone, then
  }
}

/** Makes the control `theme` work. */
export function colours() {
  const control = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    document.documentElement.dataset.theme = control.value === "auto" ? (dark.matches ? "dark" : "light") : control.value;
  };
  control.value = ["light", "dark"].find(value => value === stored()) ?? "auto";
  control.addEventListener("change", () => {
    store(control.value);
    apply();
  });
  dark.addEventListener("change", apply);
  apply();
}

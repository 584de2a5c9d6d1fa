// The page works without this; here it only gets pleasanter.
import { themeSwitch } from "./themeswitch.js";
import { postItself } from "./sso.js";
import { batchPage } from "./batch.js";
import { jobsList } from "./jobs.js";
import { jobPage } from "./job.js";
import { serverTests, presets, suggestName } from "./servers.js";

for (const element of document.querySelectorAll(".needs-js")) {
  if (!("live" in element.dataset) && !("logMarks" in element.dataset)) {
    element.hidden = false;
  }
}
// A notice is about what was just done: a reload must not say it again.
const here = new URL(location.href);
if (here.searchParams.has("notice")) {
  here.searchParams.delete("notice");
  history.replaceState(history.state, "", here);
}
postItself();
themeSwitch();
jobsList();
jobPage();
batchPage();
serverTests();
presets();
suggestName();

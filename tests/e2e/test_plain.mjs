// The whole journey in a browser that runs no script at all.
import { journey } from "./journey.mjs";

await journey({ javaScript: false });

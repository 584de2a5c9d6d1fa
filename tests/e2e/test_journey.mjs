// The whole journey in a browser that runs our scripts.
import { journey } from "./journey.mjs";

await journey({ javaScript: true });

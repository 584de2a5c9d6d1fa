// TAP for the browser tests: a test is a name (its promise) and an async function.

export class Skip extends Error {}

/** Run tests, an array of [name, function], in order; a name given on the command line runs that one alone. */
export async function run(tests, { before, after }) {
  const wanted = process.argv.slice(2);
  const chosen = wanted.length === 0 ? tests : tests.filter(([name]) => wanted.includes(name));
  let failed = 0;
  try {
    await before();
  } catch (problem) {
    await after();
    if (problem instanceof Skip) {
      console.log(`1..0 # SKIP ${problem.message}`);
      return;
    }
    console.log(`Bail out! ${problem.stack}`);
    process.exitCode = 1;
    return;
  }
  console.log(`1..${chosen.length}`);
  for (const [index, [name, test]] of chosen.entries()) {
    try {
      await test();
      console.log(`ok ${index + 1} - ${name}`);
    } catch (problem) {
      if (problem instanceof Skip) {
        console.log(`ok ${index + 1} - ${name} # SKIP ${problem.message}`);
      } else {
        failed += 1;
        console.log(`not ok ${index + 1} - ${name}`);
        console.log(String(problem.stack ?? problem).replace(/^/gm, "# "));
      }
    }
  }
  await after();
  process.exitCode = failed === 0 ? 0 : 1;
}

/** Poll condition (may be async) until it is true, and return its value; throw when the time is over. */
export async function until(what, condition, seconds = 120) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) {
      return value;
    }
    if (Date.now() > deadline) {
      throw new Error(`not within ${seconds} s: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

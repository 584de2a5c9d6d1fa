// The page that a sign-in link shows goes on by itself, once somebody sees it: not while a browser only prefetches it.

/** Without this, its button does the same. */
export function postItself() {
  const form = document.querySelector("form[data-post-itself]");
  if (!form) {
    return;
  }
  const post = () => form.requestSubmit();
  if (document.prerendering) {
    document.addEventListener("prerenderingchange", post, { once: true });
  } else {
    post();
  }
}

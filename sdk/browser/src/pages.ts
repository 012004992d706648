import { safe } from "./safe";

/** Calls `view` for each further page that is seen without a load. */
export function watchPages(view: () => void): void {
  let path = location.pathname;
  const moved = (): void => {
    // After the router has set the title of the page.
    setTimeout(
      safe(() => {
        if (path === location.pathname) return;
        path = location.pathname;
        view();
      }),
    );
  };
  const push = history.pushState.bind(history);
  history.pushState = (...given) => {
    push(...given);
    moved();
  };
  addEventListener("popstate", moved);
  // Back to a page that the browser had put aside.
  addEventListener(
    "pageshow",
    safe((event) => {
      if (event.persisted) view();
    }),
  );
}

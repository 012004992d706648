import { record } from "./events";
import { safe } from "./safe";
import { bare } from "./touch";

const FILE = /\.(pdf|zip|gz|docx?|xlsx?|pptx?|csv|od[tsp]|epub|dmg|exe|msi|pkg|deb|rpm|apk|mp[34])$/i;

/** Records a download or an outbound_click for links but those within `data-ls-ignore`. */
export function watchClicks(): void {
  addEventListener(
    "click",
    safe(({ target }) => {
      const link = target instanceof Element && target.closest("a");
      if (!link || link.closest("[data-ls-ignore]") || !/^https?:$/.test(link.protocol)) return;
      if (link.hasAttribute("download") || FILE.test(link.pathname)) {
        record("download", { file: bare(link) });
      } else if (link.hostname !== location.hostname) {
        record("outbound_click", { link: bare(link) });
      }
    }),
    true,
  );
}

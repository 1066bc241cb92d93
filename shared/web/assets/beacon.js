// Tells the store that a person really sees this page, once. Previews, prefetches and pages that stay in the
// background never do.
(function () {
  "use strict";
  var meta = document.querySelector('meta[name="yundian-token"]');
  var sent = false;
  function seen() {
    if (sent || !meta || document.prerendering || document.visibilityState !== "visible") return;
    sent = true;
    var body = JSON.stringify({ token: meta.content });
    // keepalive lets the message outlive a page that is left at once; the content type is what the store insists on.
    if (window.fetch) {
      fetch("/touch", { method: "POST", headers: { "Content-Type": "application/json" }, body: body, keepalive: true, credentials: "omit" }).catch(function () {});
    } else if (navigator.sendBeacon) {
      navigator.sendBeacon("/touch", new Blob([body], { type: "application/json" }));
    }
  }
  document.addEventListener("visibilitychange", seen);
  document.addEventListener("prerenderingchange", seen);
  seen();
})();

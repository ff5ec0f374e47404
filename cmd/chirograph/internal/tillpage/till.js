// Shows what becomes of a sale as soon as the till knows. The page works
// without this.
"use strict";
(() => {
  const look = async () => {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("sale");
      const sale = document.getElementById("sale");
      if (!fresh || fresh.dataset.state !== sale.dataset.state) return location.reload();
    } catch { // no connection: the next look may have one
    }
    setTimeout(look, 1000);
  };
  setTimeout(look, 500);
})();

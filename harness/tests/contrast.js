// SPDX-License-Identifier: MIT
// A function for the tests of the HTML page: every text that can be seen, as [contrast with what is behind it, text,
// element]. Contrast is that of WCAG 2. Behind a text of a drawing is the last shape that covers its beginning.
() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const behindHtml = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const behind = (element) => {
    const svg = element.closest("svg");
    if (!svg) return behindHtml(element);
    const box = element.getBoundingClientRect();
    const [x, y] = [box.left + 3, (box.top + box.bottom) / 2];
    const covers = (at) => at.left <= x && x <= at.right && at.top <= y && y <= at.bottom;
    const under = [...svg.querySelectorAll("rect, circle")]
      .filter((shape) => covers(shape.getBoundingClientRect()) && getComputedStyle(shape).fill !== "none");
    return under.length ? rgba(getComputedStyle(under.at(-1)).fill) : behindHtml(svg.parentElement);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest("script, title, noscript") || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const colour = rgba(element.closest("svg") ? style.fill : style.color);
    found.push([contrast(colour, behind(element)), node.data.trim().slice(0, 40), element.outerHTML.slice(0, 60)]);
  }
  const box = document.getElementById("filter");
  found.push([contrast(rgba(getComputedStyle(box, "::placeholder").color), behind(box)), "placeholder", ""]);
  return found;
}

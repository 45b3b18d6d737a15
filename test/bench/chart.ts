// The ratios as an SVG chart.
import type { Row } from "./table.ts";

const [width, left, scale] = [720, 250, 380];
/** Of a bar, and between two rows. */
const [barHeight, gap] = [9, 4];
const colors = ["#2563eb", "#60a5fa", "#bfdbfe"];

function bar(x: number, y: number, ratio: number, label: string, color: string): string {
  const length = Math.min(ratio, 1.2) * scale;
  return `<rect x="${x}" y="${y}" width="${length.toFixed(1)}" height="8" fill="${color}"/>` +
    `<text x="${(x + length + 6).toFixed(1)}" y="${y + 8}">${label}</text>`;
}

/** Bars for each row, and a line where the runtime's own server is. */
export function chart(rows: readonly Row[], title: string): string {
  const rowHeight = gap + barHeight * Math.max(...rows.map(({ ratios = [] }) => ratios.length));
  const height = 60 + rows.length * rowHeight;
  const lines = rows.map(({ runtime, name, ratios = [] }, i) => {
    const y = 40 + i * rowHeight;
    const bars = ratios.map((ratio, j) => bar(left, y + j * barHeight, ratio, ratio.toFixed(2), colors[j]));
    return `<text x="${left - 10}" y="${y + rowHeight / 2}" text-anchor="end">${runtime}: ${
      name.replaceAll("`", "")
    }</text>${bars.join("")}`;
  });
  const one = left + scale;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="10">`,
    `<rect width="100%" height="100%" fill="white"/><text x="10" y="18" font-size="13">${title}</text>`,
    ...lines,
    `<line x1="${one}" x2="${one}" y1="28" y2="${height - 10}" stroke="#dc2626" stroke-dasharray="3 3"/>`,
    "</svg>\n",
  ].join("\n");
}

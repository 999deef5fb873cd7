import { encodePng } from './png.ts';

/** A picture to begin with: a sun over the sea. */
export function drawSunset(width: number, height: number): Buffer {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) pixels.set(colourAt(x / width, y / height), (y * width + x) * 3);
  }
  return encodePng({ width, height, pixels });
}

function colourAt(x: number, y: number): number[] {
  const sun = Math.hypot((x - 0.5) * 1.5, y - 0.6) < 0.18;
  if (y > 0.65) return [30 + 60 * Math.abs(Math.sin(y * 90 + x * 8)), 60, 110 - 60 * (y - 0.65)];
  return sun ? [255, 235, 160] : [255 - 60 * (0.65 - y), 120 + 90 * y, 90 + 160 * (0.65 - y)];
}

/** Numbers, ages and times as people read them. */

const SPANS: readonly (readonly [number, string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'm'],
  [1, 's'],
];

/** A span of seconds in its largest unit: `4 s`, `14 m`, `3 h`, `12 d`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  for (const [size, unit] of SPANS) {
    if (whole >= size) return `${Math.floor(whole / size)} ${unit}`;
  }
  return '0 s';
}

/** How long ago a time was, or how far ahead it lies. Both in milliseconds since 1970. */
export function ago(at: number, now: number): string {
  if (Number.isNaN(at)) return 'at an unknown time';
  const seconds = (now - at) / 1000;
  if (seconds < -1) return `in ${span(-seconds)}`;
  return seconds < 1 ? 'now' : `${span(seconds)} ago`;
}

/** A time in full, in the reader's zone. */
export function absolute(at: number): string {
  if (Number.isNaN(at)) return 'an unknown time';
  const date = new Date(at);
  const two = (n: number): string => String(n).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const sign = offset < 0 ? '-' : '+';
  const zone = offset === 0 ? 'UTC' : `UTC${sign}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`;
}

/** A whole number with thin gaps between thousands: `12 418`. */
export function count(value: number): string {
  return Math.trunc(value)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
}

/** `1 agent`, `12 418 agents`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A share of a whole, in whole percent; what exists is never shown as nothing. */
export function percent(part: number, whole: number): string {
  if (whole <= 0) return '–';
  const share = (100 * part) / whole;
  if (part > 0 && share < 1) return '<1 %';
  if (part < whole && share > 99) return '>99 %';
  return `${Math.round(share)} %`;
}

/** Bytes in binary units. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

/** A rate: three figures are enough. */
export function rate(value: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) >= 10_000) return `${(value / 1000).toPrecision(3)}k`;
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

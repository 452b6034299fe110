// Figures as one reads them from afar.

const whole = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export const NONE = "–";

export const count = (value) => (value === null || value === undefined ? NONE : whole.format(value));
export const short = (value) => {
  if (value === null || value === undefined) return NONE;
  return Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value);
};

/** A rate or a time with as many digits as it deserves: 0, 0.4, 12, 3,400. */
export function measure(value) {
  if (value === null || value === undefined) return NONE;
  if (value < 10_000 && Number.isInteger(value)) return whole.format(value);
  if (value < 10) return value.toFixed(value < 1 ? 2 : 1);
  return value < 10_000 ? whole.format(Math.round(value)) : compact.format(value);
}

export function bytes(value) {
  if (value === null || value === undefined) return NONE;
  if (value < 1024) return `${Math.round(value)} B`;
  const step = value >= 2 ** 30 ? 3 : value >= 2 ** 20 ? 2 : 1;
  return `${(value / 1024 ** step).toFixed(step > 1 && value / 1024 ** step < 100 ? 1 : 0)} ${["", "KiB", "MiB", "GiB"][step]}`;
}

/** How long since: 40 s, 12 min, 3 h, 5 d. */
export function since(iso, now) {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** A time span given in seconds: 12 s, 3 min. */
export const seconds = (value) => (value < 100 ? `${Math.round(value)} s` : `${Math.round(value / 60)} min`);

export const time = (iso) => clock.format(new Date(iso));
export const whenever = (iso) => moment.format(new Date(iso));
/** An id that is too long to read: its end tells more than its beginning, which is a time. */
export const brief = (id) => (id.length > 18 ? `…${id.slice(-8)}` : id);
export const plural = (number, one, many = `${one}s`) => `${whole.format(number)} ${number === 1 ? one : many}`;

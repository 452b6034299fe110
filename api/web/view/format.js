// Times, names and other short texts as people read them.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const short = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

export const time = (iso) => clock.format(new Date(iso));
export const exactTime = (iso) => seconds.format(new Date(iso));
export const wholeTime = (iso) => whole.format(new Date(iso));
export const sameDay = (one, other) => new Date(one).toDateString() === new Date(other).toDateString();

/** "Today", "Yesterday" or the date. */
export function dayName(iso) {
  const now = Date.now();
  if (sameDay(iso, now)) return "Today";
  if (sameDay(iso, now - 86_400_000)) return "Yesterday";
  return day.format(new Date(iso));
}

/** The time of today, the date of other days. */
export const recent = (iso) => (sameDay(iso, Date.now()) ? time(iso) : short.format(new Date(iso)));

/** What a message says in one line. */
export function summary({ type, content }, author) {
  if (type === "text") return content.text;
  if (type === "action") return `${author} ${content.text}`;
  if (type === "image") return content.alt || "An image";
  if (type === "file") return content.name;
  return "A message of another kind";
}

export const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

// Times, names and other short texts as people read them.

/** One clock everywhere, whatever the browser's language: 24 hours. */
const hourCycle = "h23";
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle });
const seconds = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle,
});
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const pastYear = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });
const short = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const shortYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", hourCycle });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium", hourCycle });
const distance = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

export const time = (iso) => clock.format(new Date(iso));
/** With seconds; of other days with their date. */
export const exactTime = (iso) =>
  `${sameDay(iso, Date.now()) ? "" : `${shortDay(iso)}, `}${seconds.format(new Date(iso))}`;
export const dayTime = (iso) => dayAndTime.format(new Date(iso));
export const wholeTime = (iso) => whole.format(new Date(iso));
export const sameDay = (one, other) => new Date(one).toDateString() === new Date(other).toDateString();

/** "Today", "Yesterday" or the date. */
export function dayName(iso) {
  const now = Date.now();
  if (sameDay(iso, now)) return "Today";
  if (sameDay(iso, now - 86_400_000)) return "Yesterday";
  return (new Date(iso).getFullYear() === new Date(now).getFullYear() ? day : pastYear).format(new Date(iso));
}

/** The day and the month; of other years with the year. */
const shortDay = (iso) =>
  (new Date(iso).getFullYear() === new Date().getFullYear() ? short : shortYear).format(new Date(iso));

/** The time of today, the date of other days. */
export const recent = (iso) => (sameDay(iso, Date.now()) ? time(iso) : shortDay(iso));

/** How long ago: "just now", "5 minutes ago", "yesterday". */
export function ago(iso) {
  const minutes = Math.round((Date.now() - Date.parse(iso)) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return distance.format(-minutes, "minute");
  if (minutes < 60 * 24) return distance.format(-Math.round(minutes / 60), "hour");
  if (minutes < 60 * 24 * 30) return distance.format(-Math.round(minutes / 60 / 24), "day");
  return `on ${pastYear.format(new Date(iso))}`;
}

/** What a message says in one line. */
export function summary({ type, content, deleted }, author) {
  if (deleted) return "Message deleted";
  if (type === "text") return content.text ?? "";
  if (type === "action") return `${author} ${content.text}`;
  if (type === "image") return content.alt || "An image";
  if (type === "file") return content.name;
  return "A message of another kind";
}

export const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

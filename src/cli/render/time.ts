// Instants and spans of time as people read them, in local time. Changes when their wording does.

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** `15:42` today, `24 Nov 15:42` this year, `24 Nov 2027` else. */
export function clockTime(instant: Date, now: Date): string {
  const time = `${twoDigits(instant.getHours())}:${twoDigits(instant.getMinutes())}`;
  const day = `${String(instant.getDate())} ${months[instant.getMonth()] ?? ""}`;
  if (instant.getFullYear() !== now.getFullYear()) return `${day} ${String(instant.getFullYear())}`;
  return instant.toDateString() === now.toDateString() ? time : `${day} ${time}`;
}

/** `4 min`, `3 h`, `12 days`: the largest unit that is reached, rounded down. */
export function span(milliseconds: number): string {
  const seconds = Math.floor(Math.abs(milliseconds) / 1000);
  if (seconds < 60) return `${String(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${String(minutes)} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${String(hours)} h`;
  return `${String(Math.floor(hours / 24))} days`;
}

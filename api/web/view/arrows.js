// Moving in a list by the keyboard.

/** Up, Down, Home and End move between the rows of a list. */
export function arrows(list) {
  list.addEventListener("keydown", (event) => {
    const rows = [...list.querySelectorAll(".row")];
    const at = rows.indexOf(document.activeElement.closest(".row"));
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (next === undefined || at < 0 || !rows[next]) return;
    event.preventDefault();
    rows[next].focus();
  });
  return list;
}

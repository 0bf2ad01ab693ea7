// Changes when the outcome of the checks is shown in another way.
import { appendFileSync } from "node:fs";
import { basename, join } from "node:path";
import { tmpdir } from "node:os";

/** What a cell of the matrix says: "yes", "yes: …" or "no: …" with the reason. */
export type Cell = string;

/** Checks down, providers across. A cell that nobody set says so. */
export class Matrix {
  readonly #rows = new Map<string, Map<string, Cell>>();
  readonly #columns: string[] = [];

  set(row: string, column: string, cell: Cell): void {
    if (!this.#columns.includes(column)) this.#columns.push(column);
    const cells = this.#rows.get(row) ?? new Map<string, Cell>();
    this.#rows.set(row, cells.set(column, cell));
  }

  /** One line for each check; texts of "no" cells stand below, by number, so that the columns stay narrow. */
  toString(): string {
    const notes: string[] = [];
    const short = (cell: Cell | undefined): string => {
      if (cell === undefined) return "not run";
      const [word = "", ...rest] = cell.split(": ");
      if (rest.length === 0) return word;
      const note = rest.join(": ");
      if (!notes.includes(note)) notes.push(note);
      return `${word} (${notes.indexOf(note) + 1})`;
    };
    const table = [
      ["", ...this.#columns],
      ...[...this.#rows].map(([row, cells]) => [
        row,
        ...this.#columns.map((column) => short(cells.get(column))),
      ]),
    ];
    const widths = table[0]?.map((_, index) =>
      Math.max(...table.map((line) => line[index]?.length ?? 0)),
    );
    const lines = table.map((line) =>
      line
        .map((cell, index) => cell.padEnd(widths?.[index] ?? 0))
        .join("  ")
        .trimEnd(),
    );
    return [...lines, "", ...notes.map((note, index) => `(${index + 1}) ${note}`), ""].join("\n");
  }

  /** On standard output, and added to the file of the temporary folder that LATCHKEY_MATRIX_FILE names. */
  print(): void {
    const text = `\n${this.toString()}`;
    process.stdout.write(text);
    const name = process.env["LATCHKEY_MATRIX_FILE"];
    if (name !== undefined && name !== "") appendFileSync(join(tmpdir(), basename(name)), text);
  }
}
